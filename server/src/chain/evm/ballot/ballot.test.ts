import { describe, expect, it } from 'vitest'
import { newAddress, transferLog } from '../../../../../test/support/evm/fake-chain.ts'
import type { Corroborated } from '../../../ports/chain.ts'
import type { BlockContents } from '../block/verdict.ts'
import type { Header } from '../node/node.ts'
import { Ballot, type Vote, voteOf } from './ballot.ts'

const hash = (digit: string): string => `0x${digit.repeat(64)}`
const ref = { number: 7, hash: hash('b'), parentHash: hash('a'), minedAt: 0 }
const header: Header = { ref, logsBloom: null, txHashes: null, values: null }
const [token, to] = [newAddress(), newAddress()]
const log = transferLog(token, to, 5n)

const inclusion: Corroborated = {
  ...{ txHash: hash('1'), block: ref },
  transfers: [
    { txHash: hash('1'), part: 0, token, from: `0x${log.topics[1]?.slice(26)}`, to, amount: 5n },
  ],
}
const contents: BlockContents = {
  ...{ header, txHashes: [], transfers: [], values: [], inner: [] },
  ...{ receipts: new Map(), calls: new Map(), found: null },
}

/** The ballot with the votes of a, b and c on one inclusion, `.` for none; it was read from a. */
function ballotOf(words: string): Ballot<string> {
  const ballot = new Ballot<string>(ref)
  Object.assign(ballot, {
    header,
    wantsLogs: true,
    reader: 'a',
    recorded: new Set([inclusion.txHash]),
  })
  ballot.include(inclusion)
  for (const [at, letter] of [...words].entries()) {
    const vote: Vote | null = letter === '+' ? 'shows' : letter === '-' ? 'denies' : null
    if (vote !== null) ballot.voice('abc'.charAt(at)).votes.set(inclusion.txHash, vote)
  }
  return ballot
}

describe('the ballot of a block', () => {
  it.each([
    ['+..', 'a', '', false],
    ['++.', 'ab', '', false],
    ['+-.', 'a', 'b', true],
    ['+--', 'a', 'bc', true],
    ['++-', 'ab', 'c', false],
    ['-..', '', 'a', false],
    ['--.', '', 'ab', false],
    ['...', '', '', false],
  ])(
    'with the votes %s counts shown by %j, denied by %j, contradicted: %s',
    (words, shows, denies, torn) => {
      const ballot = ballotOf(words)
      expect(ballot.votersFor(inclusion.txHash, 'shows').join('')).toBe(shows)
      expect(ballot.votersFor(inclusion.txHash, 'denies').join('')).toBe(denies)
      expect(ballot.isContradicted).toBe(torn)
      ballot.recorded = null
      expect(ballot.isContradicted).toBe(false)
    },
  )

  it.each([
    ['nothing of its reader, which shows it', '+..', 'a', null, []],
    ['a provider without a vote for logs and receipt', '+..', 'b', null, ['logs', 'receipt']],
    ['a provider that has shown its logs for the receipt', '+..', 'b', 'whole', ['receipt']],
    ['a provider whose logs lack their receipts for both', '+..', 'b', 'half', ['logs', 'receipt']],
    ['nothing of a provider that shows logs and receipt', '++.', 'b', 'whole', []],
    ['a provider that denies it again, since it may lag', '+-.', 'b', 'whole', ['receipt']],
    [
      'a provider that shows what another denies again, since it may change its answer',
      '+-.',
      'a',
      'whole',
      ['receipt'],
    ],
  ])('asks %s', (_who, words, who, logs, expected) => {
    const ballot = ballotOf(words)
    if (logs !== null) ballot.voice(who).contents = contents
    const questions = ballot.missing(who, () => logs === 'whole')
    expect(questions.map((one) => (one === 'logs' ? one : 'receipt'))).toEqual(expected)
  })

  it('asks for logs at most eight times, and not when no token is watched', () => {
    const ballot = ballotOf('+..')
    ballot.voice('b').asks = 8
    expect(ballot.missing('b', () => true)).toEqual([inclusion])
    ballot.voice('b').asks = 0
    ballot.wantsLogs = false
    expect(ballot.missing('b', () => true)).toEqual([inclusion])
  })

  it('drops the votes on an inclusion when another transfer is added to it', () => {
    const ballot = ballotOf('++-')
    ballot.include(inclusion)
    expect(ballot.votersFor(inclusion.txHash, 'shows')).toEqual(['a', 'b'])
    const [transfer] = inclusion.transfers
    if (transfer === undefined) throw new Error('it pays')
    ballot.include({ ...inclusion, transfers: [transfer, { ...transfer, part: 1 }] })
    expect(ballot.votersFor(inclusion.txHash, 'shows')).toEqual([])
    expect(ballot.votersFor(inclusion.txHash, 'denies')).toEqual([])
  })
})

describe('the vote by a receipt', () => {
  const told = { address: log.address, topics: log.topics, data: log.data }
  const receipt = { txHash: hash('1'), blockHash: ref.hash, succeeded: true }
  const named = { ...told, transactionHash: hash('1'), blockHash: ref.hash, logIndex: '0x0' }
  const other = { ...named, ...transferLog(token, to, 6n) }

  it.each([
    ['the same log at its index', { ...receipt, logs: [named] }, 'shows'],
    ['another amount at its index', { ...receipt, logs: [other] }, 'denies'],
    ['no log at its index', { ...receipt, logs: [] }, 'denies'],
    ['a failed status', { ...receipt, succeeded: false, logs: [named] }, 'denies'],
    ['another block hash', { ...receipt, blockHash: hash('c'), logs: [] }, null],
  ])('with %s is decided by receipt, block and log', (_what, shown, word) => {
    expect(voteOf(shown, inclusion, new Set([token]))).toBe(word)
  })
})
