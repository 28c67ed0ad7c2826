/**
 * `npm run simulate -- --seeds 2000 --from 1`, `--seed 17` (prints its whole trace), `--fault
 * <name>` for one planted fault or past bug, `--faults` and `--bugs` for each of them in turn;
 * `--first` stops at the first seed that finds it.
 */
import { exit, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { faultTable } from './fault-table.ts'
import type { Outcome } from './outcome.ts'
import { pastBugs } from './past-bugs.ts'
import { tallyOf, tallyText } from './readers/tally.ts'
import { runSeeds } from './run.ts'

const { values } = parseArgs({
  options: {
    ...{ seed: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string' } },
    ...{ fault: { type: 'string' }, faults: { type: 'boolean' }, bugs: { type: 'boolean' } },
    ...{ first: { type: 'boolean' }, workers: { type: 'string' } },
  },
})
const say = (line: string): void => {
  stdout.write(`${line}\n`)
}
const from = Number(values.from ?? 1)
const count = Number(values.seeds ?? 200)
const seeds =
  values.seed === undefined
    ? Array.from({ length: count }, (_, i) => from + i)
    : values.seed.split(',').map(Number)
const workers = Number(values.workers ?? 2)

const tried = [
  ...(values.faults === true ? faultTable : []),
  ...(values.bugs === true ? pastBugs : []),
]
for (const { name } of tried) await tryFault(name)
if (tried.length === 0) {
  const { outcomes, failed, tookMs } = await runSeeds({
    ...{ seeds, workers, fault: values.fault ?? null },
    onOutcome: (outcome) => {
      if (outcome.violations.length > 0) tell(outcome, seeds.length === 1)
    },
  })
  const perSecond = (outcomes.length / tookMs) * 1_000
  say(tallyText(tallyOf(outcomes)))
  const denied = outcomes.filter(({ denials = 0 }) => denials > 0)
  const times = denied.reduce((sum, { denials = 0 }) => sum + denials, 0)
  say(`${times} denials in ${denied.length} seeds had to be in a history`)
  say(`${outcomes.length} seeds, ${failed.length} failed, ${perSecond.toFixed(1)} seeds/s`)
  for (const { seed, hash, steps, events } of seeds.length === 1 ? outcomes : []) {
    say(`seed ${seed}: ${steps} steps, ${events} events, trace ${hash}`)
  }
  exit(failed.length === 0 ? 0 : 1)
}

async function tryFault(name: string): Promise<void> {
  const { failed, outcomes } = await runSeeds({
    ...{ seeds, workers, fault: name },
    enough: ({ violations }) => values.first === true && violations.length > 0,
  })
  const [first] = failed
  const found = `found in ${failed.length} of ${outcomes.length} seeds`
  say(`${name}: ${found}${first ? `, first by seed ${first.seed}: ${first.violations[0]}` : ''}`)
}

function tell({ seed, violations, trace }: Outcome, whole: boolean): void {
  say(`seed ${seed}:`)
  for (const violation of whole ? violations : violations.slice(0, 2)) say(`  ${violation}`)
  if (whole && trace !== null) say(trace)
}
