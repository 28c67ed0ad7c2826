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
