import { describe, expect, it } from 'vitest'
import { usdc } from '../../../../test/support/payments.ts'
import { ReportQueue } from './report-queue.ts'
import type { ProviderReport } from './sum-witnesses.ts'

const report = (source: string, denies: boolean, number = 5): ProviderReport => ({
  ...{ source, denies },
  inclusion: {
    txHash: '0x1',
    block: { number, hash: `0xb${number}`, parentHash: '0xa', minedAt: 0 },
    transfers: [{ txHash: '0x1', part: 0, token: usdc, from: '0xf', to: '0xd', amount: 1n }],
  },
})
const shows = (source: string, number?: number) => report(source, false, number)
const denies = (source: string, number?: number) => report(source, true, number)
const never = () => false
const always = () => true
const told = (reports: readonly ProviderReport[]) =>
  reports.map(({ source, denies: no }) => `${source} ${no ? 'denies' : 'shows'}`)

const drain = (queue: ReportQueue) => queue.drain('a').filter((each) => queue.release(each))

describe('the queue of reports', () => {
  it('keeps reports that wait, oldest first, and gives each out once', () => {
    const queue = new ReportQueue()
    expect(queue.send('a', queue.number([shows('one'), denies('two')]), always)).toEqual([])
    expect(told(drain(queue))).toEqual(['one shows', 'two denies'])
    expect(drain(queue)).toEqual([])
  })

  it('drops what a provider reported before its newer denial', () => {
    const queue = new ReportQueue()
    queue.send('a', queue.number([denies('one'), shows('one'), shows('two')]), always)
    queue.send('a', queue.number([denies('one')]), always)
    expect(told(drain(queue))).toEqual(['two shows', 'one denies'])
  })

  it('holds a report back until an earlier denial of the same provider is stored', () => {
    const queue = new ReportQueue()
    const denial = queue.send('a', queue.number([denies('one')]), never)
    expect(told(denial)).toEqual(['one denies'])
    const next = queue.number([shows('one'), shows('two'), shows('one', 6)])
    expect(told(queue.send('a', next, never))).toEqual(['two shows', 'one shows'])
    queue.answered('a', denial, denial)
    const kept = drain(queue)
    expect(told(kept)).toEqual(['one denies', 'one shows'])
    queue.answered('a', queue.send('a', kept.slice(0, 1), never), [])
    expect(told(queue.send('a', kept.slice(1), never))).toEqual(['one shows'])
  })

  it('holds a report back also while a drained denial has not been sent again', () => {
    const queue = new ReportQueue()
    queue.send('a', queue.number([denies('one')]), always)
    const [denial] = queue.drain('a')
    expect(queue.send('a', queue.number([shows('one')]), never)).toEqual([])
    expect(denial !== undefined && queue.release(denial)).toBe(true)
    expect(told(drain(queue))).toEqual(['one shows'])
  })

  it('keeps at most 10,000 reports for each chain, the newest', () => {
    const queue = new ReportQueue()
    const many = Array.from({ length: 10_001 }, (_, i) => shows(`rpc:${i}`))
    queue.send('a', queue.number(many), always)
    const kept = queue.drain('a')
    expect([kept.length, kept[0]?.source]).toEqual([10_000, 'rpc:1'])
  })
})
