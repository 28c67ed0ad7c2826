/**
 * `npm run audit`, or `settlewire audit`: holds the history against itself. It talks to the database
 * or to a dump, not to a server, so that it can also be run by those who do not trust the server.
 */
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { systemClock } from './clock.ts'
import { readCommandLine } from './command-line.ts'
import { openGround } from './compose/ground.ts'
import { type Config, readConfig } from './config.ts'
import { createLog } from './log.ts'
import { complaint } from './program.ts'
import { builtInPolicies, isMisnamed } from './registry/policy.ts'
import { audit, type Report } from './store/audit/audit.ts'
import { DatabaseSource } from './store/audit/database-source.ts'
import { DumpSource } from './store/audit/dump-source.ts'
import type { AuditScope, AuditSource } from './store/audit/source.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')

const usage = `
  settlewire audit [--merchant <id>] [--mode live|test] [--from-dump <file>]
  npm run audit -- …

  Walks the history, of one merchant or of all, and holds it against itself: that every event is
  sealed to the one before it, that sequences and positions have no gap, and that every row beside
  the history is what its events make of it. It changes nothing, and a server may run meanwhile.

  --merchant   the id of a merchant; left out: all
  --mode       live or test; left out: both
  --from-dump  a plain-text dump (pg_dump --format=plain) in the place of the database

  Exit codes: 0 all of it holds, 1 something does not, or it could not be read.
  Without DATABASE_URL the server must be stopped.
`

/** What was asked for. */
export interface Asked {
  readonly scope: AuditScope
  readonly dump: string | null
}

/** Reads the command line. Throws `invalid_request` with what is wrong, null for a plain question. */
export function readArguments(args: readonly string[]): Asked | null {
  const parsed = parse(args)
  const { merchant, mode, help, 'from-dump': dump } = parsed.values
  if (help) return null
  if (mode !== undefined && mode !== 'live' && mode !== 'test') {
    throw new Failure('invalid_request', '--mode takes live or test.')
  }
  const scope = {
    ...(merchant === undefined ? {} : { merchantId: merchant }),
    ...(mode === undefined ? {} : { livemode: mode === 'live' }),
  }
  return { scope, dump: dump ?? null }
}

const parse = (args: readonly string[]) =>
  readCommandLine({
    args: [...args],
    options: {
      merchant: { type: 'string' },
      mode: { type: 'string' },
      'from-dump': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })

/** The database of this installation, started for as long as it takes where it is the embedded one. */
async function openDatabase(config: Config, onClose: (closer: () => unknown) => void) {
  const clock = systemClock
  const log = createLog({ level: 'error', clock })
  const ground = { config: { ...config, sandbox: null }, clock, log, onClose }
  return DatabaseSource.open(config.databaseUrl ?? (await openGround(ground)).databaseUrl)
}

async function run({ scope, dump }: Asked): Promise<Report & { readonly tookMs: number }> {
  const closers: (() => unknown)[] = []
  const onClose = (closer: () => unknown): void => void closers.unshift(closer)
  try {
    const startedAt = systemClock.now()
    const source: AuditSource =
      dump === null ? await openDatabase(readConfig(root), onClose) : await DumpSource.open(dump)
    onClose(() => source.close())
    const report = await audit({ source, scope, builtIn: builtInPolicies, isMisnamed })
    return { ...report, tookMs: systemClock.now() - startedAt }
  } finally {
    for (const closer of closers) await closer()
  }
}

/** What a person reads. */
export function wordsOf(report: Report & { readonly tookMs: number }): string {
  const { subjects, events, feeds, findings, found, tookMs } = report
  const rate = Math.round(events / Math.max(tookMs / 1_000, 0.001))
  const walked =
    `${events} events of ${subjects} subjects in ${feeds} feeds, ` +
    `${(tookMs / 1_000).toFixed(1)} s, ${rate} events a second`
  const [first, ...others] = findings
  if (first === undefined) return `\nAll of it holds: ${walked}.\n`
  const lines = others.map(({ where, what }) => `  ${where}: ${what}`)
  const more = found - findings.length
  if (more > 0) lines.push(`  and ${more} more`)
  return (
    `\nThe first that does not hold is ${first.where}: ${first.what}.\n` +
    `${lines.length === 0 ? '' : `\nAlso:\n${lines.join('\n')}\n`}\n${found} in ${walked}.\n`
  )
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const asked = readArguments(args)
    if (asked === null) {
      process.stdout.write(usage)
      return
    }
    const report = await run(asked)
    process.stdout.write(wordsOf(report))
    if (report.found > 0) process.exitCode = 1
  } catch (error) {
    const isMisuse = error instanceof Failure && error.code === 'invalid_request'
    process.stderr.write(isMisuse ? `\n${error.message}\n${usage}` : complaint(error, 'audit'))
    process.exitCode = 1
  }
}

if (import.meta.main) await main(process.argv.slice(2))
