/**
 * `npm run audit`, or `settlewire audit`: checks the history for contradictions. It reads the
 * database or a dump and needs no server, so that people who do not trust the server can run it
 * too.
 */
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { isId } from '@settlewire/core/id'
import { systemClock } from './clock.ts'
import { counted, readCommandLine, wrapped } from './command-line.ts'
import { openGround } from './compose/ground.ts'
import { type Config, readConfig } from './config.ts'
import { endProcess } from './end-process.ts'
import { createLog } from './log.ts'
import { exitsText, operatorExits, readOrExit } from './operator/exit-codes.ts'
import { formOfId } from './operator/read.ts'
import { complaint } from './program.ts'
import { builtInPolicies, isMisnamed } from './registry/policy.ts'
import { audit, type Report } from './store/audit/audit.ts'
import { DatabaseSource } from './store/audit/database-source.ts'
import { DumpSource } from './store/audit/dump-source.ts'
import type { AuditScope, AuditSource } from './store/audit/source.ts'
import { requireDatabase } from './store/embedded/embedded-place.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')

const usage = `
  npx settlewire audit [--merchant <id>] [--mode live|test] [--from-dump <file>]
  npm run audit -- …

  Checks the history of one merchant or of all: that the seal of every event includes the seal
  before it, that sequences and positions have no gap, and that all other rows match the rows
  rebuilt from the events. It changes nothing. With DATABASE_URL a server may run meanwhile; on the
  embedded database stop it first.

  --merchant   the id of a merchant; left out: all merchants
  --mode       live or test; left out: both modes
  --from-dump  a plain-text dump (pg_dump --format=plain) to read instead of the database

${wrapped('  ', `Exit codes: ${exitsText('audit')}.`)}
`

/** The arguments of `settlewire audit`. */
export interface AuditArguments {
  readonly scope: AuditScope
  readonly dump: string | null
}

/** Parses the command line; null for `--help`. Throws `invalid_request` for a wrong argument. */
export function readArguments(args: readonly string[]): AuditArguments | null {
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

/** Opens the database of this installation. The embedded one is started and stopped afterwards. */
async function openDatabase(config: Config, onClose: (closer: () => unknown) => void) {
  if (config.databaseUrl !== null) return DatabaseSource.open(config.databaseUrl)
  requireDatabase(config.home)
  const clock = systemClock
  const log = createLog({ level: 'error', clock })
  const ground = { config: { ...config, sandbox: null }, clock, log, onClose }
  return DatabaseSource.open((await openGround(ground)).databaseUrl)
}

async function run({ scope, dump }: AuditArguments): Promise<Report & { readonly tookMs: number }> {
  const closers: (() => unknown)[] = []
  const onClose = (closer: () => unknown): void => void closers.unshift(closer)
  try {
    const startedAt = systemClock.now()
    const source: AuditSource =
      dump === null ? await openDatabase(readConfig(root), onClose) : await DumpSource.open(dump)
    onClose(() => source.close())
    const report = await audit({ source, scope, builtIn: builtInPolicies, isMisnamed })
    mustHaveFound(report, scope)
    return { ...report, tookMs: systemClock.now() - startedAt }
  } finally {
    for (const closer of closers) await closer()
  }
}

/** Refuses an id of a merchant that has nothing to check: it may be misspelt. */
function mustHaveFound({ subjects, events, feeds, found }: Report, { merchantId }: AuditScope) {
  if (merchantId === undefined || subjects + events + feeds + found > 0) return
  const form = isId('mer', merchantId) ? '' : ` ${formOfId('mer')}`
  throw new Failure('not_found', `There is no history of a merchant ${merchantId}.${form}`)
}

/** The report as text for people. */
export function wordsOf(report: Report & { readonly tookMs: number }): string {
  const { subjects, events, feeds, findings, found, tookMs } = report
  const rate = Math.round(events / Math.max(tookMs / 1_000, 0.001))
  const walked =
    `Checked: ${counted(events, 'event')} of ${counted(subjects, 'payment')}, and the order of events in ` +
    `${counted(feeds, 'feed')}\n(a merchant has one feed for test payments and one for live payments), ` +
    `in ${(tookMs / 1_000).toFixed(1)} s, ${rate} events a second.`
  const [first, ...others] = findings
  if (first === undefined) return `\nNo contradiction was found.\n${walked}\n`
  const lines = others.map(({ where, what }) => `  ${where}: ${what}`)
  const more = found - findings.length
  if (more > 0) lines.push(`  and ${more} more`)
  return (
    `\nThe first contradiction is at ${first.where}: ${first.what}.\n` +
    `${lines.length === 0 ? '' : `\nAlso:\n${lines.join('\n')}\n`}\n${counted(found, 'contradiction')} found.\n${walked}\n`
  )
}

/** Runs the command. Resolves to its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const read = readOrExit('audit', () => readArguments(args))
  if (typeof read === 'number') return read
  if (read.asked === null) {
    process.stdout.write(usage)
    return operatorExits.done.code
  }
  try {
    const report = await run(read.asked)
    process.stdout.write(wordsOf(report))
    return operatorExits[report.found > 0 ? 'contradiction' : 'done'].code
  } catch (error) {
    process.stderr.write(complaint(error, 'audit'))
    return operatorExits.failed.code
  }
}

if (import.meta.main) endProcess(await main(process.argv.slice(2)))
