-- The one way into the history. One call is one statement is one transaction: no lock waits for a
-- round trip. Locks are taken in one order by everyone (subjects by id, chains, idempotency keys,
-- feeds last), so appends never deadlock; the feed's counter is held only while its events go in.
--
-- Arrays of equal length are the columns of rows. Raises SW001 (a subject has moved), SW002 (a
-- chain has moved), SW003 (an idempotency key is taken); then nothing was written.
create function settlewire_append(
  subject_ids text[], base_seals bytea[], sequences integer[], head_ids text[],
  head_seals bytea[], states text[], opens boolean[],
  found_ids text[], statuses text[], flag_lists text[], due timestamptz[], kinds text[], merchant_ids text[],
  livemodes boolean[], created timestamptz[], refs text[],
  tx_hashes text[], tx_subjects text[], tx_chains text[], tx_numbers bigint[], tx_paid boolean[],
  tx_final boolean[], in_blocks text[], in_subjects text[], in_chains text[],
  feed_merchants text[], feed_livemodes boolean[], feed_counts integer[],
  event_feeds integer[], event_places integer[], event_kinds text[], event_subjects text[], event_sequences integer[],
  event_ids text[], event_types text[], event_times timestamptz[], event_data json[],
  event_evidence json[], event_seals bytea[],
  addresses json, cursors json, answers json
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
  -- A seal is of one subject at one sequence: who names it has seen all that went before. Rows are
  -- locked as they are updated, in the order of their ids: the arrays come sorted, and the table can
  -- only be walked along its one index (see the settings above).
  update subject_state p
  set sequence = n.sequence, head_event_id = n.head_id, head_seal = n.head_seal, state = n.state
  from unnest(subject_ids, base_seals, sequences, head_ids, head_seals, states)
    as n (id, base_seal, sequence, head_id, head_seal, state)
  where p.subject_id = n.id and p.head_seal = n.base_seal;
  get diagnostics written = row_count;

  if written < wanted then
    insert into subject_state (subject_id, sequence, head_event_id, head_seal, state)
    select n.id, n.sequence, n.head_id, n.head_seal, n.state
    from unnest(subject_ids, opens, sequences, head_ids, head_seals, states)
      as n (id, opens, sequence, head_id, head_seal, state)
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

  if cardinality(tx_hashes) > 0 then
    insert into transaction as t (tx_hash, subject_id, chain, block_number, paid, final)
    select * from unnest(tx_hashes, tx_subjects, tx_chains, tx_numbers, tx_paid, tx_final)
    on conflict (tx_hash, subject_id, chain) do update
    set block_number = excluded.block_number, paid = excluded.paid, final = excluded.final
    where (t.block_number, t.paid, t.final)
      is distinct from (excluded.block_number, excluded.paid, excluded.final);
    insert into inclusion (block_hash, subject_id, chain)
    select * from unnest(in_blocks, in_subjects, in_chains)
    on conflict do nothing;
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

  -- From here to the commit nobody else writes to these feeds. Keep it short.
  return query
  with counted as (
    insert into merchant_feed as f (merchant_id, livemode, position)
    select n.merchant_id, n.livemode, n.added
    from unnest(feed_merchants, feed_livemodes, feed_counts) as n (merchant_id, livemode, added)
    order by n.merchant_id collate "C", n.livemode
    on conflict (merchant_id, livemode) do update set position = f.position + excluded.position
    returning f.merchant_id, f.livemode, f.position
  ), placed as (
    select n.feed::integer as feed, c.merchant_id, c.livemode, c.position, n.added
    from counted c
    join unnest(feed_merchants, feed_livemodes, feed_counts) with ordinality
      as n (merchant_id, livemode, added, feed)
      on n.merchant_id = c.merchant_id and n.livemode = c.livemode
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
    select m.* from json_to_recordset(moves) as m (chain text, from_view bigint, view bigint,
      head bigint, safe bigint, finalized bigint, reverted json, applied json)
    order by m.chain collate "C"
  loop
    update chain_cursor c
    set view = move.view, head = move.head, safe = move.safe, finalized = move.finalized
    where c.chain = move.chain and c.view = move.from_view;
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
