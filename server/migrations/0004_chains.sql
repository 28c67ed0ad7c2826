-- How far each chain was read, moved in the transaction that stores the effects.

create table chain_cursor (
  chain text collate "C" primary key,
  genesis_hash text not null,
  -- Counts the steps of the follower; a step that builds on another view is refused.
  view bigint not null,
  head bigint not null,
  safe bigint,
  finalized bigint,
  -- Whether the step of this view was begun and is not finished: its blocks are not passed yet.
  is_open boolean not null default false,
  -- The blocks that unfinished steps spoke of, and which of them were told as final; null where there are none.
  unfinished json
) with (fillfactor = 50);

-- The canonical blocks that a reorg may still reach.
create table chain_block (
  chain text collate "C" not null,
  hash text collate "C" not null,
  number bigint not null,
  parent_hash text not null,
  mined_at timestamptz not null,
  primary key (chain, hash)
);
create unique index chain_block_by_number on chain_block (chain, number);
