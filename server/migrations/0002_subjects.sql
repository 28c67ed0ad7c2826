-- The current state of subjects: payment intents and everything else that has a history. Every row
-- here, except those of idempotency_key, can be rebuilt from the history.

-- The columns that subjects are searched by. A row is small, and is written only when one of them
-- changes.
create table subject (
  id text collate "C" primary key,
  -- `payment_intent`, … The kind of an id never changes.
  kind text collate "C" not null,
  -- Not a foreign key: its check would lock the merchant's row in every append.
  merchant_id text collate "C" not null,
  livemode boolean not null,
  created_at timestamptz not null,
  reference text,
  status text collate "C" not null,
  flags text[] not null,
  -- The next deadline of the subject. Null after its watch has ended; a later event may set it
  -- again.
  due_at timestamptz
) with (fillfactor = 80);

-- Each index makes changes of its columns slower, so there are only these. A list without a status
-- has no index of its own: the query reads subject_list once per status.
create index subject_list on subject (merchant_id, livemode, kind, status, id);
create index subject_by_reference on subject (merchant_id, livemode, reference, id)
  where reference is not null;
create index subject_due on subject (kind, due_at, id) where due_at is not null;

-- The state of each subject, with the seal of its last event. A process that appends events to a
-- subject locks this row. Values that never change after the opening are only in the first event.
create table subject_state (
  subject_id text collate "C" primary key,
  sequence integer not null,
  head_seal bytea not null,
  -- The state as text, without the parts that are stored in transaction.part.
  standing text not null
  -- Every event updates this row. The table has no index but the primary key, and its pages are
  -- half empty, so the new version fits on the same page. Rows are not compressed, because that
  -- took more time than it saved. So an event changes one page of this table.
) with (fillfactor = 50, toast_tuple_target = 8160);

-- An address belongs to one subject permanently, so a transfer to it never counts for two subjects.
create table subject_address (
  address text collate "C" primary key,
  subject_id text collate "C" not null,
  merchant_id text collate "C" not null,
  deposit_index bigint
);
create index subject_address_by_index on subject_address (merchant_id, deposit_index)
  where deposit_index is not null;

create table transaction (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- The block that holds the transaction, by the latest verdict. Null while no block holds it.
  block_number bigint,
  -- Whether the transaction paid this subject in that block.
  paid boolean not null,
  final boolean not null,
  -- The part of the subject's state that describes this transaction. It is stored here, so that
  -- events about other transactions do not write it again.
  part text not null,
  primary key (subject_id, chain, tx_hash)
) with (fillfactor = 45);

-- The only index beside the primary key. Its columns never change, so most updates stay on their
-- page and write to no index.
create index transaction_by_hash on transaction (tx_hash, subject_id);

-- Every block that was ever reported to hold a transaction of a subject, with the outcome of the
-- transaction there. When a block is reorged out, its subjects are found here.
create table inclusion (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  block_hash text collate "C" not null,
  -- Null while the only report about the block is that it was reorged out.
  block_number bigint,
  canonical boolean not null,
  outcome text not null,
  primary key (subject_id, chain, tx_hash, block_hash)
);
create index inclusion_by_block on inclusion (block_hash);

-- Answers to requests with an Idempotency-Key. Each is written in the transaction that stores the
-- effect of its request. It is deleted after about a day.
create table idempotency_key (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  key text collate "C" not null,
  request_hash text not null,
  status smallint not null,
  payment_id text collate "C" not null,
  sequence integer not null,
  -- The body of the answer. Null when it was the resource as of `sequence`, which can be rebuilt.
  told text,
  created_at timestamptz not null,
  primary key (merchant_id, livemode, key)
);
create index idempotency_key_by_age on idempotency_key (created_at);
