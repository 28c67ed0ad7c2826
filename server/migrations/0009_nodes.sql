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
