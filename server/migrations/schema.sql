-- The whole schema: the sum of the numbered migrations, to be read in one place. Never run by the
-- program; a test builds one database from this file and one from the migrations and compares them.

create table schema_migration (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);

-- ── 0001_merchants.sql

-- Who is paid, and who may ask. Ids sort bytewise everywhere, whatever the database's own rules are.

create table merchant (
  id text collate "C" primary key,
  name text not null,
  -- Watch-only. A private key has no place in this database.
  xpub text check (xpub !~ '^[a-zA-Z]prv'),
  -- Whether the extended key was checked for real money, so that live keys may be made.
  takes_live boolean not null default false,
  created_at timestamptz not null,
  -- Since then no key of it opens anything. Its payments go on.
  disabled_at timestamptz
);
create index merchant_by_xpub on merchant (xpub) where xpub is not null;

create table api_key (
  id text collate "C" primary key,
  merchant_id text collate "C" not null references merchant (id),
  livemode boolean not null,
  kind text not null check (kind in ('secret', 'restricted', 'publishable')),
  scopes text[] not null,
  -- For people.
  name text not null default '',
  prefix text not null,
  -- HMAC-SHA-256 of the whole key, under a pepper that is not in this database.
  hash bytea not null unique check (length(hash) = 32),
  created_at timestamptz not null,
  -- To about a minute: each process writes what it has heard in one go. No index, so that this is cheap.
  last_used_at timestamptz,
  -- After a rotation: how long both keys work, and which one took its place.
  expires_at timestamptz,
  replaced_by text collate "C" references api_key (id),
  revoked_at timestamptz
);
create index api_key_by_merchant on api_key (merchant_id, id);

create table installation_secret (
  name text primary key,
  secret bytea not null,
  created_at timestamptz not null default now()
);

-- The next address index of each key: merchants that have registered the same one (to test, and for
-- real money) share its addresses, and so its counter. `lineage` tells a restored database from the
-- one that the last index was taken in; after a change the counter jumps, so that no address comes
-- twice.
create table deposit_counter (
  xpub text collate "C" primary key,
  next_index bigint not null check (next_index >= 0),
  lineage text not null
);

-- The cluster and its timeline: both change when a backup is restored or a replica takes over.
-- Services that hide the timeline still tell the cluster, or at least nothing false.
create function settlewire_lineage() returns text language plpgsql stable as $$
declare
  cluster text := 'unknown';
  timeline text := 'unknown';
begin
  begin
    select system_identifier::text into cluster from pg_control_system();
  exception when others then null;
  end;
  begin
    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  exception when others then null;
  end;
  return cluster || '/' || timeline;
end
$$;

-- Written by `/readyz`, to show that changes are taken. One row, the same for all processes.
create table write_proof (
  one boolean primary key default true check (one),
  proven_at timestamptz not null
);

-- The row alone would fit on a full disk, over its own old version. So there is also a result too
-- large for its memory: the server has to find new room for it, and gives that back at once.
create function settlewire_prove_writes() returns void
  set work_mem = '64kB' set temp_tablespaces = '' language plpgsql as $$
begin
  insert into write_proof (proven_at) values (clock_timestamp())
    on conflict (one) do update set proven_at = excluded.proven_at;
  perform count(*) from generate_series(1, 20000);
end
$$;

-- ── 0002_subjects.sql

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

-- ── 0003_history.sql

-- The history: the truth that everything else is a view of. Rows are added, never changed.

create table event (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- 1, 2, 3 … per merchant and mode, in commit order: the counter is taken last before the commit.
  position bigint not null,
  kind text collate "C" not null,
  subject_id text collate "C" not null,
  sequence integer not null,
  id text collate "C" not null,
  -- The full name on the wire: payment_intent.confirming.
  type text not null,
  at timestamptz not null,
  -- json, not jsonb: the text goes out as it was committed, byte for byte.
  data json not null,
  evidence json not null,
  -- SHA-256 over the seal of the event before and all of the above but the position (PROTOCOL.md).
  seal bytea not null check (length(seal) = 32),
  primary key (subject_id, sequence),
  unique (merchant_id, livemode, position),
  unique (id)
);

create table merchant_feed (
  merchant_id text collate "C" not null,
  livemode boolean not null,
  -- The last position given.
  position bigint not null,
  -- SHA-256 over the seals of its events, in the order of their positions (PROTOCOL.md).
  seal bytea not null default decode(repeat('00', 32), 'hex') check (length(seal) = 32),
  primary key (merchant_id, livemode)
) with (fillfactor = 50);

-- The seal of a feed after these events: `feedSeal` of core.
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

-- By statement, so that it is refused even where no row would match. Not to be switched off by
-- session_replication_role, which ordinary triggers are.
create trigger event_append_only
  before update or delete or truncate on event
  for each statement execute function settlewire_refuse();
alter table event enable always trigger event_append_only;

-- ── 0004_chains.sql

-- How far each chain was read, moved in the transaction that stores the effects.

create table chain_cursor (
  chain text collate "C" primary key,
  genesis_hash text not null,
  -- Counts the steps of the follower; a step that builds on another view is refused.
  view bigint not null,
  head bigint not null,
  safe bigint,
  finalized bigint,
  -- Whether the step of this view was begun and is not finished: its blocks are not passed yet.
  is_open boolean not null default false,
  -- The blocks that unfinished steps spoke of, and which of them were told as final; null where there are none.
  unfinished json
) with (fillfactor = 50);

-- The canonical blocks that a reorg may still reach.
create table chain_block (
  chain text collate "C" not null,
  hash text collate "C" not null,
  number bigint not null,
  parent_hash text not null,
  mined_at timestamptz not null,
  primary key (chain, hash)
);
create unique index chain_block_by_number on chain_block (chain, number);

-- ── 0005_append.sql

-- The one way into the history. One call is one statement is one transaction: no lock waits for a
-- round trip. Locks are taken in one order by everyone (subjects by id, chains, idempotency keys,
-- feeds last), so appends never deadlock; the feed's counter is held only while its events go in.
--
-- Arrays of equal length are the columns of rows. Raises SW001 (a subject has moved), SW002 (a
-- chain has moved), SW003 (an idempotency key is taken), SW004 (a lease was lost: 0009_nodes.sql); then
-- nothing was written.
create function settlewire_append(
  subject_ids text[], base_seals bytea[], sequences integer[],
  head_seals bytea[], standings text[], opens boolean[],
  found_ids text[], statuses text[], flag_lists text[], due timestamptz[], kinds text[], merchant_ids text[],
  livemodes boolean[], created timestamptz[], refs text[],
  tx_subjects text[], tx_chains text[], tx_hashes text[], tx_numbers bigint[], tx_paid boolean[],
  tx_final boolean[], tx_parts text[], tx_transfers integer[], tx_new boolean[],
  feed_merchants text[], feed_livemodes boolean[], feed_counts integer[],
  event_feeds integer[], event_places integer[], event_kinds text[], event_subjects text[], event_sequences integer[],
  event_ids text[], event_types text[], event_times timestamptz[], event_data json[],
  event_evidence json[], event_seals bytea[],
  addresses json, new_inclusions json, inclusions json, transfers json, cursors json, answers json, fences json
) returns table (feed integer, last_position bigint) language plpgsql
  -- The plans must not depend on how small the tables were when they were first made.
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set enable_bitmapscan = off
as $$
declare
  wanted integer := cardinality(subject_ids);
  written integer := 0;
  opened integer := 0;
begin
  if fences is not null then
    perform settlewire_fence(fences);
  end if;

  -- A seal is of one subject at one sequence: who names it has seen all that went before. Rows are
  -- locked as they are updated, in the order of their ids: the arrays come sorted, and the table can
  -- only be walked along its one index (see the settings above).
  update subject_state p
  set sequence = n.sequence, head_seal = n.head_seal, standing = n.standing
  from unnest(subject_ids, base_seals, sequences, head_seals, standings)
    as n (id, base_seal, sequence, head_seal, standing)
  where p.subject_id = n.id and p.head_seal = n.base_seal;
  get diagnostics written = row_count;

  if written < wanted then
    insert into subject_state (subject_id, sequence, head_seal, standing)
    select n.id, n.sequence, n.head_seal, n.standing
    from unnest(subject_ids, opens, sequences, head_seals, standings)
      as n (id, opens, sequence, head_seal, standing)
    where n.opens
    order by n.id
    on conflict (subject_id) do nothing;
    get diagnostics opened = row_count;
    if written + opened < wanted then
      raise exception 'a subject has moved' using errcode = 'SW001';
    end if;
  end if;

  -- From here on the rows of these subjects are ours, in every table.
  if cardinality(found_ids) > 0 then
    update subject p
    set status = n.status, flags = n.flags::text[], due_at = n.due_at
    from unnest(found_ids, statuses, flag_lists, due, merchant_ids)
      as n (id, status, flags, due_at, merchant_id)
    where p.id = n.id and n.merchant_id is null;
    if opened > 0 then
      insert into subject (id, kind, merchant_id, livemode, created_at, reference, status, flags, due_at)
      select n.id, n.kind, n.merchant_id, n.livemode, n.created_at, n.reference, n.status,
        n.flags::text[], n.due_at
      from unnest(found_ids, kinds, merchant_ids, livemodes, created, refs, statuses, flag_lists, due)
        as n (id, kind, merchant_id, livemode, created_at, reference, status, flags, due_at)
      where n.merchant_id is not null;
    end if;
  end if;

  if addresses is not null then
    insert into subject_address (address, subject_id, merchant_id, deposit_index)
    select a.address, a.subject_id, a.merchant_id, a.deposit_index
    from json_to_recordset(addresses)
      as a (address text, subject_id text, merchant_id text, deposit_index bigint)
    order by a.address;
  end if;

  -- Updates the rows that exist and inserts the others. Those that are known to be new are not looked
  -- for: the seal above proves that what the caller knows is the last word. The locks above keep other
  -- writers from these subjects; `on conflict` would lock and log each row twice.
  if cardinality(tx_hashes) > 0 then
    with n as materialized (
      select * from unnest(tx_subjects, tx_chains, tx_hashes, tx_numbers, tx_paid, tx_final, tx_parts,
          tx_new)
        as n (subject_id, chain, tx_hash, block_number, paid, final, part, is_new)
    ), changed as (
      update transaction t
      set block_number = n.block_number, paid = n.paid, final = n.final, part = n.part
      from n where not n.is_new
        and t.subject_id = n.subject_id and t.chain = n.chain and t.tx_hash = n.tx_hash
        and (t.block_number, t.paid, t.final, t.part)
          is distinct from (n.block_number, n.paid, n.final, n.part)
    )
    insert into transaction (subject_id, chain, tx_hash, block_number, paid, final, part)
    select n.subject_id, n.chain, n.tx_hash, n.block_number, n.paid, n.final, n.part
    from n where n.is_new or not exists (
      select from transaction t
      where t.subject_id = n.subject_id and t.chain = n.chain and t.tx_hash = n.tx_hash);
    -- Only where there may be more of them than there should be: null says that there are not.
    delete from transfer t
    using unnest(tx_subjects, tx_chains, tx_hashes, tx_transfers)
      as n (subject_id, chain, tx_hash, count)
    where t.subject_id = n.subject_id and t.chain = n.chain and t.tx_hash = n.tx_hash
      and t.n >= n.count;
  end if;

  if new_inclusions is not null then
    insert into inclusion (subject_id, chain, tx_hash, block_hash, block_number, canonical, outcome)
    select n.* from json_to_recordset(new_inclusions) as n (subject_id text, chain text, tx_hash text,
      block_hash text, block_number bigint, canonical boolean, outcome text);
  end if;

  if inclusions is not null then
    -- An update would be free to look for them by their block, which holds those of many subjects.
    insert into inclusion as i
      (subject_id, chain, tx_hash, block_hash, block_number, canonical, outcome)
    select n.* from json_to_recordset(inclusions) as n (subject_id text, chain text, tx_hash text,
      block_hash text, block_number bigint, canonical boolean, outcome text)
    on conflict (subject_id, chain, tx_hash, block_hash) do update
    set block_number = excluded.block_number, canonical = excluded.canonical,
      outcome = excluded.outcome
    where (i.block_number, i.canonical, i.outcome)
      is distinct from (excluded.block_number, excluded.canonical, excluded.outcome);
  end if;

  if transfers is not null then
    with n as materialized (
      select * from json_to_recordset(transfers) as n (subject_id text, chain text, tx_hash text,
        n integer, place text, token text, from_address text, to_address text, amount numeric,
        block_number bigint, stage text, counts boolean, is_new boolean)
    ), changed as (
      update transfer t
      set place = n.place, token = n.token, from_address = n.from_address,
        to_address = n.to_address, amount = n.amount, block_number = n.block_number,
        stage = n.stage, counts = n.counts
      from n where not n.is_new
        and t.subject_id = n.subject_id and t.chain = n.chain and t.tx_hash = n.tx_hash and t.n = n.n
        and (t.place, t.token, t.from_address, t.to_address, t.amount, t.block_number, t.stage,
            t.counts)
          is distinct from (n.place, n.token, n.from_address, n.to_address, n.amount,
            n.block_number, n.stage, n.counts)
    )
    insert into transfer (subject_id, chain, tx_hash, n, place, token, from_address, to_address,
      amount, block_number, stage, counts)
    select n.subject_id, n.chain, n.tx_hash, n.n, n.place, n.token, n.from_address, n.to_address,
      n.amount, n.block_number, n.stage, n.counts
    from n where n.is_new or not exists (
      select from transfer t where t.subject_id = n.subject_id and t.chain = n.chain
        and t.tx_hash = n.tx_hash and t.n = n.n);
  end if;

  if cursors is not null then
    perform settlewire_move_cursors(cursors);
  end if;

  if answers is not null then
    insert into idempotency_key
      (merchant_id, livemode, key, request_hash, status, payment_id, sequence, told, created_at)
    select a.merchant_id, a.livemode, a.key, a.request_hash, a.status, a.payment_id, a.sequence,
      a.told, a.created_at
    from json_to_recordset(answers) as a (merchant_id text, livemode boolean, key text,
      request_hash text, status smallint, payment_id text, sequence integer, told text,
      created_at timestamptz)
    order by a.merchant_id collate "C", a.livemode, a.key collate "C"
    on conflict do nothing;
    get diagnostics written = row_count;
    if written < json_array_length(answers) then
      raise exception 'an idempotency key is taken' using errcode = 'SW003';
    end if;
  end if;

  insert into merchant_feed (merchant_id, livemode, position)
  select n.merchant_id, n.livemode, 0
  from unnest(feed_merchants, feed_livemodes) as n (merchant_id, livemode)
  order by n.merchant_id collate "C", n.livemode
  on conflict do nothing;

  -- From here to the commit nobody else writes to these feeds. Keep it short.
  return query
  with n as materialized (
    select n.feed::integer as feed, n.merchant_id, n.livemode, n.added, (
        select array_agg(e.seal order by e.place)
        from unnest(event_feeds, event_places, event_seals) as e (feed, place, seal)
        where e.feed = n.feed
      ) as seals
    from unnest(feed_merchants, feed_livemodes, feed_counts) with ordinality
      as n (merchant_id, livemode, added, feed)
    order by n.merchant_id collate "C", n.livemode
  ), placed as (
    update merchant_feed f
    set position = f.position + n.added, seal = settlewire_feed_seal(f.seal, n.seals)
    from n where f.merchant_id = n.merchant_id and f.livemode = n.livemode
    returning n.feed, f.merchant_id, f.livemode, f.position, n.added
  ), added as (
    insert into event (merchant_id, livemode, position, kind, subject_id, sequence, id, type, at,
      data, evidence, seal)
    select f.merchant_id, f.livemode, f.position - f.added + e.place, e.kind, e.subject_id,
      e.sequence, e.id, e.type, e.at, e.data, e.evidence, e.seal
    from unnest(event_feeds, event_places, event_kinds, event_subjects, event_sequences, event_ids,
        event_types, event_times, event_data, event_evidence, event_seals)
      as e (feed, place, kind, subject_id, sequence, id, type, at, data, evidence, seal)
    join placed f on f.feed = e.feed
  )
  select p.feed, p.position from placed p;
end
$$;

-- Moves cursors, each from the view its step was built on.
create function settlewire_move_cursors(moves json) returns void language plpgsql as $$
declare
  move record;
  -- Blocks above the finalized one are kept, and some below; a chain without finality keeps many.
  kept_min constant integer := 256;
  kept_max constant integer := 8192;
begin
  for move in
    select m.* from json_to_recordset(moves) as m (chain text, from_view bigint, from_open boolean,
      view bigint, head bigint, safe bigint, finalized bigint, reverted json, applied json,
      is_open boolean, unfinished json)
    order by m.chain collate "C"
  loop
    update chain_cursor c
    set view = move.view, head = move.head, safe = move.safe, finalized = move.finalized,
      is_open = coalesce(move.is_open, c.is_open),
      unfinished = case when move.is_open is null then c.unfinished else move.unfinished end
    where c.chain = move.chain and c.view = move.from_view and c.is_open = move.from_open;
    if not found then
      raise exception 'chain % has moved', move.chain using errcode = 'SW002';
    end if;
    delete from chain_block b
    where b.chain = move.chain
      and b.hash in (select json_array_elements_text(move.reverted));
    insert into chain_block (chain, hash, number, parent_hash, mined_at)
    select move.chain, b.hash, b.number, b.parent_hash, b.mined_at
    from json_to_recordset(move.applied)
      as b (hash text, number bigint, parent_hash text, mined_at timestamptz);
    delete from chain_block b
    where b.chain = move.chain
      and b.number < greatest(
        least(coalesce(move.finalized, 0), move.head - kept_min + 1), move.head - kept_max + 1);
  end loop;
end
$$;

-- ── 0006_grants.sql

-- The program works as a role that cannot change the history, where the database lets us make one.
-- Roles belong to the whole cluster: another database may have made it already, even this moment.

do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'settlewire_app') then
      create role settlewire_app nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise notice 'no right to create the role settlewire_app: the trigger alone guards the history';
      return;
  end;

  begin
    execute format('grant settlewire_app to %I', current_user);
  exception when insufficient_privilege or invalid_grant_operation then null;
  end;

  execute format('grant usage on schema %I to settlewire_app', current_schema());
  grant select on schema_migration to settlewire_app;
  grant select, insert on event, idempotency_key, installation_secret, subject_address
    to settlewire_app;
  grant select, insert, update on merchant, api_key, deposit_counter, subject, subject_state,
    transaction, inclusion, merchant_feed, chain_cursor, write_proof to settlewire_app;
  grant select, insert, delete on chain_block to settlewire_app;
  grant update, delete on idempotency_key to settlewire_app;
end
$$;

-- ── 0007_policies.sql

-- The rules that decided, by version. What was decided under a version is folded under it for ever:
-- rows are added, never changed.

create table policy (
  version text collate "C" primary key,
  -- Canonical JSON: the same rules are the same text.
  body text not null,
  created_at timestamptz not null default now()
);

do $$
begin
  -- Where 0006 could not make the role, the program works as the owner.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert on policy to settlewire_app;
  end if;
end
$$;

-- ── 0008_transfers.sql

-- What a ledger and a search ask of. Like all of 0002 it can be made again from the history.

-- Every movement of money that a transaction made, makes or would make. Depth is not repeated here:
-- `final` of the transaction says it.
create table transfer (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- Its number among those of the transaction, from 0.
  n integer not null,
  -- The place of its log in the transaction, or a word: top, hint, balance, trace:….
  place text not null,
  -- The token contract; null for the native coin.
  token text,
  from_address text not null,
  to_address text not null,
  -- In the token's smallest unit.
  amount numeric not null check (amount >= 0),
  block_number bigint,
  stage text not null,
  -- Whether it is money of this subject.
  counts boolean not null,
  primary key (subject_id, chain, tx_hash, n)
  -- Each is changed once or twice, together with its neighbours.
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not make the role, the program works as the owner.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on transfer to settlewire_app;
  end if;
end
$$;

-- ── 0009_nodes.sql

-- What several processes on one database need of each other.

-- Who follows a chain, or lets time pass. The token counts the holders: what is written under one is
-- refused as soon as another has it.
create table lease (
  name text collate "C" primary key,
  -- Which process, and where it runs: of two processes at one place the earlier one is dead.
  place text not null,
  holder text not null,
  token bigint not null,
  -- By the clock of this database: processes may disagree about the time.
  expires_at timestamptz not null
) with (fillfactor = 50);

-- Refuses with SW004 what is written under a lease that another process has taken since. The rows
-- stay locked until the commit: a lease is taken before a write or after it, never during it.
create function settlewire_fence(fences json) returns void language plpgsql as $$
declare
  fence record;
begin
  for fence in
    select f.lease, f.token from json_to_recordset(fences) as f (lease text, token bigint)
    order by f.lease collate "C"
  loop
    perform from lease l where l.name = fence.lease and l.token = fence.token for share;
    if not found then
      raise exception 'the lease % was taken by another process', fence.lease
        using errcode = 'SW004';
    end if;
  end loop;
end
$$;

-- How well a chain is seen, as its follower says it: for those who do not follow it themselves.
-- Nothing of it has to survive a crash of the database: it is said again every second.
create unlogged table chain_sight (
  chain text collate "C" primary key,
  told_at timestamptz not null,
  body text not null,
  -- What of it is news. Another word makes another revision, by which the topic of the chain is read.
  word text not null,
  revision bigint not null
) with (fillfactor = 50);

-- A transaction that one process asks the follower of a chain for. Short-lived, as the answer is.
create unlogged table chain_question (
  id bigint generated always as identity primary key,
  chain text collate "C" not null,
  tx_hash text not null,
  asked_at timestamptz not null default clock_timestamp(),
  answer text
);

do $$
begin
  -- Where 0006 could not make the role, the program works as the owner.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update on lease, chain_sight to settlewire_app;
    grant select, insert, update, delete on chain_question to settlewire_app;
  end if;
end
$$;

-- ── 0010_rescan.sql

-- A stretch of a chain's blocks that an operator wants read again. The process that follows the chain
-- takes it, and writes down how far it is, so that another one can go on from there.
create table chain_rescan (
  id bigint generated always as identity primary key,
  chain text collate "C" not null,
  -- What was asked for, as JSON of `RescanRequest`.
  asked text not null,
  -- What was read and found so far, as JSON of `RescanReport`; null before a server has begun.
  report text,
  -- What keeps it from going on; once it is done, why it was given up.
  trouble text,
  -- Counts the changes of the report: of two processes that both go on, one is refused.
  turn integer not null default 0,
  done boolean not null default false,
  -- When the operator's command last asked. A request whose command is gone is not worked on.
  heard_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not make the role, the program works as the owner.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on chain_rescan to settlewire_app;
  end if;
end
$$;
