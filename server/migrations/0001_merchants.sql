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
