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
