import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { keepFirstGenesis } from './chain-state.ts'

const directory = mkdtempSync(join(tmpdir(), 'settlewire-state-'))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('keeps the oldest genesis block, every other block, and all the rest', () => {
  const path = join(directory, 'chain.json')
  const block = (number: string, timestamp: string) => ({
    header: { number, timestamp },
    ommers: [],
  })
  const blocks = [
    block('0x0', '0x20'),
    block('0x1', '0x11'),
    block('0x0', '0x10'),
    block('0x2', '0x12'),
  ]
  writeFileSync(path, JSON.stringify({ best_block_number: 2, blocks, accounts: { a: 1 } }))
  keepFirstGenesis(path)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    best_block_number: 2,
    blocks: blocks.slice(1),
    accounts: { a: 1 },
  })
  keepFirstGenesis(join(directory, 'missing.json'))
})
