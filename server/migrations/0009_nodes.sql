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
