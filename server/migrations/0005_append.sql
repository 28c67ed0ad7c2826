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
