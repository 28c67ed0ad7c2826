-- The history: the truth that everything else is a view of. Rows are added, never changed.

create table payment_event (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- 1, 2, 3 … per merchant and mode, in commit order: the counter is taken last before the commit.
  position bigint not null,
  payment_id text collate "C" not null,
  sequence integer not null,
  id text collate "C" not null,
  type text not null,
  at timestamptz not null,
  -- json, not jsonb: the text goes out as it was committed, byte for byte.
  data json not null,
  evidence json not null,
  prev_hash bytea not null check (length(prev_hash) = 32),
  hash bytea not null check (length(hash) = 32),
  recorded_at timestamptz not null default now(),
  primary key (payment_id, sequence),
  unique (merchant_id, livemode, position),
  unique (id)
);

create table merchant_feed (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- The last position given.
  position bigint not null,
  primary key (merchant_id, livemode)
) with (fillfactor = 50);

create function settlewire_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'payment_event is append-only: % refused', lower(tg_op)
    using errcode = 'insufficient_privilege';
end
$$;

-- By statement, so that it is refused even where no row would match. Not to be switched off by
-- session_replication_role, which ordinary triggers are.
create trigger payment_event_append_only
  before update or delete or truncate on payment_event
  for each statement execute function settlewire_refuse();
alter table payment_event enable always trigger payment_event_append_only;
