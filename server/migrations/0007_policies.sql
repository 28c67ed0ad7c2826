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
