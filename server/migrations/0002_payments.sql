-- Payments as of their last event. Every row here can be made again from payment_event.

create table payment (
  id text collate "C" primary key,
  -- No foreign keys from here to merchant: the check would lock the merchant's row in every append.
  merchant_id text collate "C" not null,
  livemode boolean not null,
  created_at timestamptz not null,
  reference text,
  status text not null,
  flags text[] not null,
  sequence integer not null check (sequence > 0),
  head_event_id text collate "C" not null,
  head_hash bytea not null,
  -- When the clock next has something to say; null once the watch has ended.
  due_at timestamptz,
  watched boolean not null default true,
  state json not null
) with (fillfactor = 80);

create index payment_of_merchant on payment (merchant_id, livemode, id desc);
create index payment_by_status on payment (merchant_id, livemode, status, id desc);
create index payment_by_reference on payment (merchant_id, livemode, reference, id desc)
  where reference is not null;
create index payment_due on payment (due_at, id) where due_at is not null;
create index payment_watched on payment (id) where watched;

-- An address belongs to one payment for ever: a transfer to it can never count for two.
create table payment_address (
  address text collate "C" primary key,
  payment_id text collate "C" not null,
  merchant_id text collate "C" not null,
  deposit_index bigint
);
create index payment_address_by_index on payment_address (merchant_id, deposit_index)
  where deposit_index is not null;
create index payment_address_of_payment on payment_address (payment_id);

create table payment_transaction (
  payment_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- Every block that was ever said to hold it; a reorg asks for payments by these.
  block_hashes text[] collate "C" not null,
  -- The block that holds it now, by the latest verdict; null while it is in none.
  block_number bigint,
  -- Whether that block moved money to us.
  paid boolean not null,
  final boolean not null,
  primary key (payment_id, chain, tx_hash)
) with (fillfactor = 80);

create index payment_transaction_by_hash on payment_transaction (tx_hash);
create index payment_transaction_open on payment_transaction (chain, payment_id) where not final;
create index payment_transaction_blocks on payment_transaction using gin (block_hashes);

-- Answers given under an Idempotency-Key, written together with what they answered for.
create table idempotency_key (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  key text collate "C" not null,
  request_hash text not null,
  status smallint not null,
  payment_id text collate "C" not null,
  sequence integer not null,
  created_at timestamptz not null,
  primary key (merchant_id, livemode, key)
);
