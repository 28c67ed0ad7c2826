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
