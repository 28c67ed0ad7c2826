-- The history. All state of subjects is derived from it. Rows are added and never changed.

create table event (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- 1, 2, 3 … per merchant and mode, in commit order: an append locks the counter last, and holds
  -- it until the commit.
  position bigint not null,
  kind text collate "C" not null,
  subject_id text collate "C" not null,
  sequence integer not null,
  id text collate "C" not null,
  -- The full name that clients receive, for example payment_intent.confirming.
  type text not null,
  at timestamptz not null,
  -- json and not jsonb, because clients receive the stored text byte for byte.
  data json not null,
  evidence json not null,
  -- SHA-256 over the seal of the subject's previous event and all columns above except the position
  -- (PROTOCOL.md).
  seal bytea not null check (length(seal) = 32),
  primary key (subject_id, sequence),
  unique (merchant_id, livemode, position),
  unique (id)
);

create table merchant_feed (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- The position of the last event.
  position bigint not null,
  -- SHA-256 over the seals of the feed's events, in the order of their positions (PROTOCOL.md).
  seal bytea not null default decode(repeat('00', 32), 'hex') check (length(seal) = 32),
  primary key (merchant_id, livemode)
) with (fillfactor = 50);

-- Returns the seal of a feed after these events. It computes the same as `feedSeal` in core.
create function settlewire_feed_seal(before bytea, event_seals bytea[]) returns bytea
  language plpgsql immutable as $$
declare
  last text := encode(before, 'hex');
  event_seal bytea;
begin
  foreach event_seal in array event_seals loop
    last := encode(sha256(convert_to(last || E'\n' || encode(event_seal, 'hex') || E'\n', 'UTF8')), 'hex');
  end loop;
  return decode(last, 'hex');
end
$$;

create function settlewire_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'event is append-only: % refused', lower(tg_op)
    using errcode = 'insufficient_privilege';
end
$$;

-- The trigger runs per statement, so a statement is refused even when it matches no row. `enable
-- always` keeps it on when session_replication_role turns ordinary triggers off.
create trigger event_append_only
  before update or delete or truncate on event
  for each statement execute function settlewire_refuse();
alter table event enable always trigger event_append_only;
