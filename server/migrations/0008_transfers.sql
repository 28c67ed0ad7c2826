-- The transfers, so that SQL can search and sum them. Like the tables of 0002, this one can be
-- rebuilt from the history.

-- Every transfer of money that a transaction made, or would make if a block included it. Whether a
-- transfer is final is stored only once, in transaction.final.
create table transfer (
  subject_id text collate "C" not null,
  chain text collate "C" not null,
  tx_hash text collate "C" not null,
  -- The number of the transfer within the transaction, from 0.
  n integer not null,
  -- The index of its log in the transaction. A transfer without a log has one of these:
  -- top (the transaction itself pays the native coin), trace:… (the call that pays it), balance (a
  -- balance grew), hint (what a pending transaction would pay).
  place text not null,
  -- The address of the token contract. Null for the native coin.
  token text,
  from_address text not null,
  to_address text not null,
  -- In the smallest unit of the token or coin.
  amount numeric not null check (amount >= 0),
  block_number bigint,
  stage text not null,
  -- Whether the transfer counts for this subject.
  counts boolean not null,
  primary key (subject_id, chain, tx_hash, n)
  -- Pages are half empty, because each row is updated once or twice, together with the other
  -- transfers of its transaction.
) with (fillfactor = 50);

do $$
begin
  -- Where 0006 could not create the role, the program runs its queries as the owner of the tables.
  if exists (select from pg_roles where rolname = 'settlewire_app') then
    grant select, insert, update, delete on transfer to settlewire_app;
  end if;
end
$$;
