import { stdout } from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultTable } from './fault-table.ts'
import { type Ground, openGround } from './ground.ts'
import type { Outcome } from './outcome.ts'
import { pastBugs } from './past-bugs.ts'
import { patched } from './planted-faults.ts'
import { tallyOf, tallyText } from './readers/tally.ts'
import { runSeeds } from './run.ts'

const seedCount = 2_000
/** The limit of seeds for one planted fault; each is found far sooner. */
const faultSeedsMax = 60
/** On an otherwise idle machine it takes a fifth of this. */
const runWithinMs = 900_000

/** Some of the counted statements, by reader and kind. */
const shownKinds = [
  'page: status',
  'page: to send',
  'page: blind',
  'watch: received',
  'feed: status',
]

let ground: Ground
beforeAll(async () => {
  ground = await openGround()
})
afterAll(() => ground.close())

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i)

/** The report of failing seeds. `npm run simulate -- --seed 17` prints the trace of one. */
const said = (failed: readonly Outcome[]): string =>
  failed
    .slice(0, 5)
    .map(({ seed, violations }) => `seed ${seed}: ${violations.slice(0, 3).join('\n  ')}`)
    .join('\n')

describe('under faults of chain, nodes, clock, store and processes', () => {
  it(
    'every commit and the final state match the true chain, in two thousand worlds',
    async ({ signal }) => {
      const seeds = [...pastBugs.map(({ seed }) => seed), ...range(1, seedCount)]
      const { outcomes, failed, tookMs } = await runSeeds({
        ...{ ground, signal, seeds: [...new Set(seeds)] },
      })
      const perSecond = ((outcomes.length / tookMs) * 1_000).toFixed(1)
      stdout.write(`simulation: ${outcomes.length} seeds, ${perSecond} seeds/s\n`)
      expect(said(failed)).toBe('')
      expect(outcomes.length).toBeGreaterThanOrEqual(seedCount)
      // Worlds in which nothing is ever paid would prove nothing.
      const events = outcomes.reduce((sum, outcome) => sum + outcome.events, 0)
      expect(events / outcomes.length).toBeGreaterThan(10)
      // The same holds without a denial that had to be stored.
      const denied = outcomes.filter(({ denials = 0 }) => denials > 0)
      expect(denied.length / outcomes.length).toBeGreaterThan(0.05)
      const tally = tallyOf(outcomes)
      stdout.write(`${tallyText(tally)}\n`)
      expect(Object.values(tally).reduce((sum, { untrueMs }) => sum + untrueMs, 0)).toBe(0)
      // A statement that no reader ever shows proves nothing either.
      for (const kind of shownKinds)
        expect([kind, tally[kind]?.shownMs ?? 0]).not.toEqual([kind, 0])
    },
    runWithinMs,
  )

  it(
    'the same seed results in the same trace, to the last call',
    async () => {
      const seeds = range(5_001, 8)
      const first = await runSeeds({ ground, seeds, workers: 1, lanes: 1 })
      const second = await runSeeds({ ground, seeds, workers: 2, lanes: 3 })
      const hashes = (outcomes: readonly Outcome[]) =>
        outcomes.map(({ seed, hash }) => [seed, hash])
      expect(hashes(second.outcomes)).toEqual(hashes(first.outcomes))
      expect(new Set(first.outcomes.map(({ hash }) => hash)).size).toBe(seeds.length)
    },
    runWithinMs,
  )
})

describe('the simulation', () => {
  it.each(faultTable.map(({ name, breaks }) => ({ name, breaks })))(
    'detects $name: $breaks',
    async ({ name }) => {
      const { failed, outcomes } = await runSeeds({
        ...{ ground, seeds: range(1, faultSeedsMax), fault: name },
        enough: ({ violations }) => violations.length > 0,
      })
      const [first] = failed
      stdout.write(`planted ${name}: found by seed ${first?.seed} of ${outcomes.length} lived\n`)
      expect(first?.violations[0] ?? 'not found').not.toBe('not found')
      // A world that could not even start would have detected nothing.
      expect(first?.trace).not.toBeNull()
    },
    runWithinMs,
  )

  it.each(pastBugs.map(({ name, breaks, seed }) => ({ name, breaks, seed })))(
    'detects the past bug $name with seed $seed: $breaks',
    async ({ name, seed }) => {
      const { failed } = await runSeeds({
        ground,
        seeds: [seed],
        fault: name,
        workers: 1,
        lanes: 1,
      })
      expect(failed.map((outcome) => outcome.seed)).toEqual([seed])
      expect(failed[0]?.trace).not.toBeNull()
    },
    runWithinMs,
  )

  it('refuses a fault whose text does not occur exactly once in the source', () => {
    const edit = { file: 'core/src/payment/judge.ts', find: 'nothing like this', replace: '' }
    expect(() => patched(edit.file, [edit])).toThrow('0 times, not once')
    expect(() => patched(edit.file, [{ ...edit, find: 'const ' }])).toThrow('not once')
  })
})
