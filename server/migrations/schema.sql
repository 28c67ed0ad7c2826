-- The whole schema: the numbered migrations joined, so that it can be read in one place. The program
-- never runs this file. A test builds one database from it and one from the migrations, and compares
-- them.

create table schema_migration (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);

-- ── 0001_merchants.sql

-- Merchants and their API keys. Every id column has the collation "C", so that ids sort bytewise
-- whatever the database's default collation is.

create table merchant (
  id text collate "C" primary key,
  name text not null,
  -- The extended public key that deposit addresses are derived from. The check refuses private
  -- keys.
  xpub text check (xpub !~ '^[a-zA-Z]prv'),
  -- Whether the extended key was checked for real money. Only then may live API keys be created.
  takes_live boolean not null default false,
  created_at timestamptz not null,
  -- Since this time all API keys of the merchant are refused. Its payments are still processed.
  disabled_at timestamptz
);
create index merchant_by_xpub on merchant (xpub) where xpub is not null;

create table api_key (
  id text collate "C" primary key,
  merchant_id text collate "C" not null references merchant (id),
  livemode boolean not null,
  kind text not null check (kind in ('secret', 'restricted', 'publishable')),
  scopes text[] not null,
  -- A label for people. The program only displays it.
  name text not null default '',
  prefix text not null,
  -- HMAC-SHA-256 of the whole key. The secret of the HMAC (the pepper) is not in this database.
  hash bytea not null unique check (length(hash) = 32),
  created_at timestamptz not null,
  -- Exact to about a minute, because each process collects the uses of its keys and writes them in
  -- one statement. The column has no index, so that these updates are cheap.
  last_used_at timestamptz,
  -- Set by a rotation: when this key stops working, and the key that replaces it. Until then both
  -- work.
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

-- The next address index of each extended key. Merchants that registered the same key (one for
-- tests, one for real money) share its addresses, so they share its counter. `lineage` identifies
-- the database in which the last index was used. When it has changed, for example because a backup
-- was restored, the counter skips ahead, so that no address is given to two payments.
create table deposit_counter (
  xpub text collate "C" primary key,
  next_index bigint not null check (next_index >= 0),
  lineage text not null
);

-- Identifies the cluster and its timeline. A restored dump has another cluster; a restored base
-- backup or a promoted replica has another timeline. Where a hosting service forbids reading one of
-- the two, 'unknown' replaces it.
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

-- `/readyz` writes here to prove that the database accepts writes. All processes share its one row.
create table write_proof (
  one boolean primary key default true check (one),
  proven_at timestamptz not null
);

-- Fails when the database does not accept writes or its disk is full. Writing the row is not
-- enough: on a full disk it still fits in the space of its old versions. So the function also
-- produces a result larger than work_mem. The server must write it to a temporary file, which it
-- deletes at once.
create function settlewire_prove_writes() returns void
  set work_mem = '64kB' set temp_tablespaces = '' language plpgsql as $$
begin
  insert into write_proof (proven_at) values (clock_timestamp())
    on conflict (one) do update set proven_at = excluded.proven_at;
  perform count(*) from generate_series(1, 20000);
end
$$;

-- ── 0002_subjects.sql

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

-- ── 0003_history.sql

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

-- ── 0004_chains.sql

-- How far each chain was read. The cursor moves in the transaction that stores the events of the
-- blocks.

create table chain_cursor (
  chain text collate "C" primary key,
  genesis_hash text not null,
  -- Counts the steps of the chain's follower. A step that continues from another view is refused.
  view bigint not null,
  head bigint not null,
  safe bigint,
  finalized bigint,
  -- Whether the step of this view is stored only in part. The cursor passes its blocks with the
  -- last part.
  is_open boolean not null default false,
  -- The blocks of unfinished steps, and which of them were reported as final, as JSON. Null when
  -- every step was finished.
  unfinished json
) with (fillfactor = 50);

-- The canonical blocks that a reorg may still remove.
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

-- Appends events and updates all tables that are derived from them. The program writes events only
-- by this function. One call is one statement and one transaction, so no lock is held during a
-- round trip. Every call takes its locks in the same order (subjects by id, chains, idempotency
-- keys, and feeds last), so appends never deadlock. A feed is locked only while its events are
-- inserted.
--
-- Arrays of equal length are the columns of rows, and a statement reads them by subscript. It does
-- not unnest them: PostgreSQL sets up one store for each array that a statement unnests, and with
-- about fifty of them an append of few events took twice as long. The function raises these errors,
-- and then writes nothing: SW001 (a subject has changed), SW002 (the cursor of a chain has moved),
-- SW003 (an idempotency key is already used), SW004 (a lease was lost, see 0009_nodes.sql).
create function settlewire_append(
  subject_ids text[], base_seals bytea[], sequences integer[],
  head_seals bytea[], standings text[], opens boolean[],
  found_ids text[], statuses text[], flag_lists text[], due timestamptz[], kinds text[], merchant_ids text[],
  livemodes boolean[], created timestamptz[], refs text[],
  tx_subjects text[], tx_chains text[], tx_hashes text[], tx_numbers bigint[], tx_paid boolean[],
  tx_final boolean[], tx_parts text[], tx_transfers integer[], tx_new boolean[],
  -- Inclusions and transfers name their transaction by its place in the arrays above.
  inclusion_txs integer[], inclusion_hashes text[], inclusion_numbers bigint[],
  inclusion_canonical boolean[], inclusion_outcomes text[],
  transfer_txs integer[], transfer_ns integer[], transfer_places text[], transfer_tokens text[],
  transfer_froms text[], transfer_tos text[], transfer_amounts text[], transfer_numbers bigint[],
  transfer_stages text[], transfer_counts boolean[],
  feed_merchants text[], feed_livemodes boolean[], feed_counts integer[],
  event_feeds integer[], event_places integer[], event_kinds text[], event_subjects text[], event_sequences integer[],
  event_ids text[], event_types text[], event_times timestamptz[], event_data json[],
  event_evidence json[], event_seals bytea[],
  addresses json, cursors json, answers json, fences json
) returns table (feed integer, last_position bigint) language plpgsql
  -- These settings fix the plans to the indexes. Without them PostgreSQL could keep plans that were
  -- made while the tables were small.
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
  -- Whether some of the transactions may have a row already.
  has_known_tx boolean := false = any (tx_new);
begin
  if fences is not null then
    perform settlewire_fence(fences);
  end if;

  -- Each seal belongs to one subject at one sequence, so a caller that passes the current seal
  -- knows every event of the subject. The update locks the rows in the order of their ids, because
  -- the arrays are sorted and the settings above leave only a lookup by the primary key for each
  -- id.
  update subject_state p
  set sequence = sequences[i], head_seal = head_seals[i], standing = standings[i]
  from unnest(subject_ids) with ordinality as n (id, i)
  where p.subject_id = n.id and p.head_seal = base_seals[i];
  get diagnostics written = row_count;

  if written < wanted then
    insert into subject_state (subject_id, sequence, head_seal, standing)
    select n.id, sequences[i], head_seals[i], standings[i]
    from unnest(subject_ids) with ordinality as n (id, i)
    where opens[i]
    order by i
    on conflict (subject_id) do nothing;
    get diagnostics opened = row_count;
    if written + opened < wanted then
      raise exception 'a subject has changed since it was read' using errcode = 'SW001';
    end if;
  end if;

  -- The locks above now keep other appends from the rows of these subjects in every table.
  if cardinality(found_ids) > 0 then
    update subject p
    set status = statuses[i], flags = flag_lists[i]::text[], due_at = due[i]
    from unnest(found_ids) with ordinality as n (id, i)
    where p.id = n.id and merchant_ids[i] is null;
    if opened > 0 then
      insert into subject (id, kind, merchant_id, livemode, created_at, reference, status, flags, due_at)
      select n.id, kinds[i], merchant_ids[i], livemodes[i], created[i], refs[i], statuses[i],
        flag_lists[i]::text[], due[i]
      from unnest(found_ids) with ordinality as n (id, i)
      where merchant_ids[i] is not null;
    end if;
  end if;

  if addresses is not null then
    insert into subject_address (address, subject_id, merchant_id, deposit_index)
    select a.address, a.subject_id, a.merchant_id, a.deposit_index
    from json_to_recordset(addresses)
      as a (address text, subject_id text, merchant_id text, deposit_index bigint)
    order by a.address;
  end if;

  -- Updates the rows that exist and inserts the others. Rows marked as new are inserted without a
  -- search: the check of the seal has proved that the caller knows the current rows. `on conflict`
  -- is not needed, because no other append can insert these rows; it would lock and log each twice.
  if cardinality(tx_hashes) > 0 then
    if has_known_tx then
      update transaction t
      set block_number = tx_numbers[i], paid = tx_paid[i], final = tx_final[i], part = tx_parts[i]
      from unnest(tx_hashes) with ordinality as n (hash, i)
      where not tx_new[i] and t.subject_id = tx_subjects[i] and t.chain = tx_chains[i]
        and t.tx_hash = n.hash
        and (t.block_number, t.paid, t.final, t.part)
          is distinct from (tx_numbers[i], tx_paid[i], tx_final[i], tx_parts[i]);
      -- Deletes the transfers that a transaction no longer has. A null count deletes nothing: the
      -- caller passes it when the number of transfers did not fall.
      delete from transfer t
      using unnest(tx_hashes) with ordinality as n (hash, i)
      where t.subject_id = tx_subjects[i] and t.chain = tx_chains[i] and t.tx_hash = n.hash
        and t.n >= tx_transfers[i];
    end if;
    insert into transaction (subject_id, chain, tx_hash, block_number, paid, final, part)
    select tx_subjects[i], tx_chains[i], n.hash, tx_numbers[i], tx_paid[i], tx_final[i],
      tx_parts[i]
    from unnest(tx_hashes) with ordinality as n (hash, i)
    where tx_new[i] or not exists (
      select from transaction t
      where t.subject_id = tx_subjects[i] and t.chain = tx_chains[i] and t.tx_hash = n.hash);
  end if;

  if cardinality(inclusion_txs) > 0 then
    insert into inclusion (subject_id, chain, tx_hash, block_hash, block_number, canonical, outcome)
    select tx_subjects[tx], tx_chains[tx], tx_hashes[tx], inclusion_hashes[i], inclusion_numbers[i],
      inclusion_canonical[i], inclusion_outcomes[i]
    from unnest(inclusion_txs) with ordinality as n (tx, i)
    where tx_new[tx];
    if has_known_tx then
      -- Not an update: PostgreSQL could plan it by the index on block_hash, and one block may hold
      -- transactions of many subjects.
      insert into inclusion as known
        (subject_id, chain, tx_hash, block_hash, block_number, canonical, outcome)
      select tx_subjects[tx], tx_chains[tx], tx_hashes[tx], inclusion_hashes[i],
        inclusion_numbers[i], inclusion_canonical[i], inclusion_outcomes[i]
      from unnest(inclusion_txs) with ordinality as n (tx, i)
      where not tx_new[tx]
      on conflict (subject_id, chain, tx_hash, block_hash) do update
      set block_number = excluded.block_number, canonical = excluded.canonical,
        outcome = excluded.outcome
      where (known.block_number, known.canonical, known.outcome)
        is distinct from (excluded.block_number, excluded.canonical, excluded.outcome);
    end if;
  end if;

  if cardinality(transfer_txs) > 0 then
    if has_known_tx then
      update transfer t
      set place = transfer_places[i], token = transfer_tokens[i], from_address = transfer_froms[i],
        to_address = transfer_tos[i], amount = transfer_amounts[i]::numeric,
        block_number = transfer_numbers[i], stage = transfer_stages[i], counts = transfer_counts[i]
      from unnest(transfer_txs) with ordinality as n (tx, i)
      where not tx_new[tx] and t.subject_id = tx_subjects[tx] and t.chain = tx_chains[tx]
        and t.tx_hash = tx_hashes[tx] and t.n = transfer_ns[i]
        and (t.place, t.token, t.from_address, t.to_address, t.amount, t.block_number, t.stage,
            t.counts)
          is distinct from (transfer_places[i], transfer_tokens[i], transfer_froms[i],
            transfer_tos[i], transfer_amounts[i]::numeric, transfer_numbers[i], transfer_stages[i],
            transfer_counts[i]);
    end if;
    insert into transfer (subject_id, chain, tx_hash, n, place, token, from_address, to_address,
      amount, block_number, stage, counts)
    select tx_subjects[tx], tx_chains[tx], tx_hashes[tx], transfer_ns[i], transfer_places[i],
      transfer_tokens[i], transfer_froms[i], transfer_tos[i], transfer_amounts[i]::numeric,
      transfer_numbers[i], transfer_stages[i], transfer_counts[i]
    from unnest(transfer_txs) with ordinality as n (tx, i)
    where tx_new[tx] or not exists (
      select from transfer t where t.subject_id = tx_subjects[tx] and t.chain = tx_chains[tx]
        and t.tx_hash = tx_hashes[tx] and t.n = transfer_ns[i]);
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
      raise exception 'an idempotency key is already used' using errcode = 'SW003';
    end if;
  end if;

  insert into merchant_feed (merchant_id, livemode, position)
  select n.merchant_id, feed_livemodes[i], 0
  from unnest(feed_merchants) with ordinality as n (merchant_id, i)
  order by n.merchant_id collate "C", feed_livemodes[i]
  on conflict do nothing;

  -- From here to the commit other appends to these feeds wait. Keep this part short.
  return query
  with n as materialized (
    select i::integer as feed, n.merchant_id, feed_livemodes[i] as livemode,
      feed_counts[i] as added, (
        select array_agg(event_seals[e.i] order by event_places[e.i])
        from unnest(event_feeds) with ordinality as e (feed, i)
        where e.feed = n.i
      ) as seals
    from unnest(feed_merchants) with ordinality as n (merchant_id, i)
    order by n.merchant_id collate "C", feed_livemodes[i]
  ), placed as (
    update merchant_feed f
    set position = f.position + n.added, seal = settlewire_feed_seal(f.seal, n.seals)
    from n where f.merchant_id = n.merchant_id and f.livemode = n.livemode
    returning n.feed, f.merchant_id, f.livemode, f.position, n.added
  ), added as (
    insert into event (merchant_id, livemode, position, kind, subject_id, sequence, id, type, at,
      data, evidence, seal)
    select f.merchant_id, f.livemode, f.position - f.added + event_places[i], event_kinds[i],
      event_subjects[i], event_sequences[i], event_ids[i], event_types[i], event_times[i],
      event_data[i], event_evidence[i], event_seals[i]
    from unnest(event_feeds) with ordinality as e (feed, i)
    join placed f on f.feed = e.feed
  )
  select p.feed, p.position from placed p;
end
$$;

-- Moves the cursors of chains. Each move names the view that it continues from, and raises SW002
-- when the cursor has another one.
create function settlewire_move_cursors(moves json) returns void language plpgsql as $$
declare
  move record;
  -- How many of the newest blocks are kept: at least kept_min, and all from the finalized block on,
  -- but at most kept_max. A chain without finality keeps kept_max.
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
      raise exception 'the cursor of chain % has moved since it was read', move.chain using errcode = 'SW002';
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

-- Creates the role settlewire_app, which cannot change the history, where we have the right to
-- create roles. The program then runs its queries as this role. Roles belong to the whole cluster,
-- so a migration of another database may already have created it, or may do so at the same time.

do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'settlewire_app') then
      create role settlewire_app nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise notice 'no right to create the role settlewire_app: only the trigger event_append_only protects the history';
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

-- The acceptance rules, by version. Events keep the version that they were decided under and are
-- always folded with it, so rows are added and never changed.

create table policy (
  version text collate "C" primary key,
  -- Canonical JSON, so that equal rules have equal text.
  body text not null,
  created_at timestamptz not null default now()
);

do $$
begin
  -- Where 0006 could not create the role, the program runs its queries as the owner of the tables.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert on policy to settlewire_app;
  end if;
end
$$;

-- ── 0008_transfers.sql

-- The transfers, so that SQL can search and sum them. Like the tables of 0002, this one can be
-- rebuilt from the history.

-- Every transfer of money that a transaction made, or would make if a block included it. Whether a
-- transfer is final is stored only once, in transaction.final.
create table transfer (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- The number of the transfer within the transaction, from 0.
  n integer not null,
  -- The index of its log in the transaction. A transfer without a log has one of these:
  -- top (the transaction itself pays the native coin), trace:… (the call that pays it), balance (a
  -- balance grew), hint (what a pending transaction would pay).
  place text not null,
  -- The address of the token contract. Null for the native coin.
  token text,
  from_address text not null,
  to_address text not null,
  -- In the smallest unit of the token or coin.
  amount numeric not null check (amount >= 0),
  block_number bigint,
  stage text not null,
  -- Whether the transfer counts for this subject.
  counts boolean not null,
  primary key (subject_id, chain, tx_hash, n)
  -- Pages are half empty, because each row is updated once or twice, together with the other
  -- transfers of its transaction.
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not create the role, the program runs its queries as the owner of the tables.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on transfer to settlewire_app;
  end if;
end
$$;

-- ── 0009_nodes.sql

-- Leases and messages of the processes that share one database.

-- Which process follows a chain, and which one handles deadlines. The token rises when another
-- process takes the lease. A write that names an older token is refused.
create table lease (
  name text collate "C" primary key,
  -- Where the holder runs, and which process it is. Only one process runs at a place, so a new
  -- process there takes the lease of the earlier one at once.
  place text not null,
  holder text not null,
  token bigint not null,
  -- By the clock of this database, because the clocks of the processes may differ.
  expires_at timestamptz not null
) with (fillfactor = 50);

-- Raises SW004 if another process has taken one of these leases. The rows stay locked until the
-- commit, so that no process can take a lease during a write under it.
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

-- How well the follower of a chain can see it. The follower writes this every second, and the other
-- processes read it. The table is unlogged, because it need not survive a crash of the database.
create unlogged table chain_sight (
  chain text collate "C" primary key,
  told_at timestamptz not null,
  body text not null,
  -- The part of `body` that clients are notified about. When it changes, the revision rises.
  -- Readers of the chain's topic use the revision as their position.
  word text not null,
  revision bigint not null
) with (fillfactor = 50);

-- Requests of processes to the follower of a chain to look up a transaction, with its answers. A
-- row is deleted when its answer is read, or by a later request once it is a minute old. So the
-- table need not survive a crash of the database.
create unlogged table chain_question (
  id bigint generated always as identity primary key,
  chain text collate "C" not null,
  tx_hash text not null,
  asked_at timestamptz not null default clock_timestamp(),
  answer text
);

do $$
begin
  -- Where 0006 could not create the role, the program runs its queries as the owner of the tables.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update on lease, chain_sight to settlewire_app;
    grant select, insert, update, delete on chain_question to settlewire_app;
  end if;
end
$$;

-- ── 0010_rescan.sql

-- Requests of operators to read a range of blocks again. The process that follows the chain reads
-- them and stores its progress, so that another process can continue from there.
create table chain_rescan (
  id bigint generated always as identity primary key,
  chain text collate "C" not null,
  -- The request, a `RescanRequest` as JSON.
  asked text not null,
  -- The progress and the findings so far, a `RescanReport` as JSON. Null before a server has begun.
  report text,
  -- What prevents progress right now. Once `done`, why the rescan was given up.
  trouble text,
  -- Counts the updates of the report. An update must name the current count, so of two processes
  -- that continue the same rescan one is refused.
  turn integer not null default 0,
  done boolean not null default false,
  -- When the operator's command last polled for the progress. When it has not polled for a minute,
  -- the rescan stops.
  heard_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not create the role, the program runs its queries as the owner of the tables.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on chain_rescan to settlewire_app;
  end if;
end
$$;
