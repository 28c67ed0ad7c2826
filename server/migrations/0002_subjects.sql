-- Subjects - payment intents, and what else has a history - as of their last event. Every row here
-- can be made again from the history.

-- What a subject is found by. Small, and written only when one of these moves.
create table subject (
  id text collate "C" primary key,
  -- `payment_intent`, … An id is of one kind for ever.
  kind text collate "C" not null,
  -- No foreign keys from here to merchant: the check would lock the merchant's row in every append.
  merchant_id text collate "C" not null,
  livemode boolean not null,
  created_at timestamptz not null,
  reference text,
  status text collate "C" not null,
  flags text[] not null,
  -- When the clock next has something to say. Null once the watch has ended, until something is
  -- appended all the same.
  due_at timestamptz
) with (fillfactor = 80);

-- Every index costs every change of an indexed column, so there are as few as the questions need:
-- a list without a status asks for each status in turn.
create index subject_list on subject (merchant_id, livemode, kind, status, id);
create index subject_by_reference on subject (merchant_id, livemode, reference, id)
  where reference is not null;
create index subject_due on subject (kind, due_at, id) where due_at is not null;

-- The subject itself, and the end of its chain of seals. Whoever moves a subject locks this row.
-- What its opening fixed is in its first event, and nowhere else.
create table subject_state (
  subject_id text collate "C" primary key,
  sequence integer not null,
  head_seal bytea not null,
  -- Without the parts that its transactions have.
  standing text not null
  -- Written with every event: no index but the key, room for versions on the same page, and no
  -- compression, which cost more than it saved. So an event touches one page here.
) with (fillfactor = 50, toast_tuple_target = 8160);

-- An address belongs to one subject for ever: a transfer to it can never count for two.
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
  -- The block that holds it now, by the latest verdict; null while it is in none.
  block_number bigint,
  -- Whether that block moved money to us.
  paid boolean not null,
  final boolean not null,
  -- Its part of the subject's state: what is known of it. A step that leaves it alone writes none of it.
  part text not null,
  primary key (subject_id, chain, tx_hash)
) with (fillfactor = 45);

-- Beside the key the only index, and of columns that never change: so most changes stay on their page.
create index transaction_by_hash on transaction (tx_hash, subject_id);

-- Every block that was ever said to hold a transaction of a subject, and what it said: a reorg asks
-- by these.
create table inclusion (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  block_hash text collate "C" not null,
  -- Null while only the reorg of the block is known.
  block_number bigint,
  canonical boolean not null,
  outcome text not null,
  primary key (subject_id, chain, tx_hash, block_hash)
);
create index inclusion_by_block on inclusion (block_hash);

-- Answers given under an Idempotency-Key, written together with what they answered for, and
-- forgotten after a day or a little more.
create table idempotency_key (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  key text collate "C" not null,
  request_hash text not null,
  status smallint not null,
  payment_id text collate "C" not null,
  sequence integer not null,
  -- What was answered, where it is not the resource as it stood at that sequence.
  told text,
  created_at timestamptz not null,
  primary key (merchant_id, livemode, key)
);
create index idempotency_key_by_age on idempotency_key (created_at);
