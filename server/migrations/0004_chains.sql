-- How far each chain was read. The cursor moves in the transaction that stores the events of the
-- blocks.

create table chain_cursor (
  chain text collate "C" primary key,
  genesis_hash text not null,
  -- Counts the steps of the chain's follower. A step that continues from another view is refused.
  view bigint not null,
  head bigint not null,
  safe bigint,
  finalized bigint,
  -- Whether the step of this view is stored only in part. The cursor passes its blocks with the
  -- last part.
  is_open boolean not null default false,
  -- The blocks of unfinished steps, and which of them were reported as final, as JSON. Null when
  -- every step was finished.
  unfinished json
) with (fillfactor = 50);

-- The canonical blocks that a reorg may still remove.
create table chain_block (
  chain text collate "C" not null,
  hash text collate "C" not null,
  number bigint not null,
  parent_hash text not null,
  mined_at timestamptz not null,
  primary key (chain, hash)
);
create unique index chain_block_by_number on chain_block (chain, number);
