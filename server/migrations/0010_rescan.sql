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
