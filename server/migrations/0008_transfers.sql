-- What a ledger and a search ask of. Like all of 0002 it can be made again from the history.

-- Every movement of money that a transaction made, makes or would make. Depth is not repeated here:
-- `final` of the transaction says it.
create table transfer (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- Its number among those of the transaction, from 0.
  n integer not null,
  -- The place of its log in the transaction, or a word: top, hint, balance, trace:….
  place text not null,
  -- The token contract; null for the native coin.
  token text,
  from_address text not null,
  to_address text not null,
  -- In the token's smallest unit.
  amount numeric not null check (amount >= 0),
  block_number bigint,
  stage text not null,
  -- Whether it is money of this subject.
  counts boolean not null,
  primary key (subject_id, chain, tx_hash, n)
  -- Each is changed once or twice, together with its neighbours.
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not make the role, the program works as the owner.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on transfer to settlewire_app;
  end if;
end
$$;
