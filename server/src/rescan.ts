/**
 * `npm run rescan`, or `settlewire rescan`: has a range of blocks read again, to find money that
 * the history lacks. The server that follows the chain does the work; this command requests it
 * through the database and waits.
 */
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { systemClock } from './clock.ts'
import { counted, readCommandLine, wrapped } from './command-line.ts'
import { type Config, readConfig } from './config.ts'
import { endProcess } from './end-process.ts'
import { rescanBlocksMax } from './engine/watch/rescan.ts'
import { createLog } from './log.ts'
import { start } from './main.ts'
import { exitsText, operatorExits, readOrExit } from './operator/exit-codes.ts'
import type { FindingKind, RescanReport, RescanRequest } from './ports/rescan.ts'
import { complaint } from './program.ts'
import { requireDatabase } from './store/embedded/embedded-place.ts'
import { openStore, type Store } from './store/open.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')

const usage = `
  npx settlewire rescan --chain <name> --from <block> [--to <block>]
  npx settlewire rescan --payment <id> [--chain <name>]
  npm run rescan -- …

  Reads blocks again from every configured provider, and adds money that is missing in the histories
  of the payments watched at that time. Money that they already have is not added twice.

  --chain    the name of the chain in the configuration
  --from     the first block
  --to       the last block; default: the last stored block. At most ${rescanBlocksMax} blocks at once
  --payment  only for this payment, from the block at which it was created; without --chain on each
             chain that it accepts

  The server that follows the chain does the work, so it must be running on DATABASE_URL. Without
  DATABASE_URL the server must be stopped: the command starts one for the duration of the rescan.
  Ctrl-C ends the rescan early. Payments keep the money that was found by then.

${wrapped('  ', `Exit codes: ${exitsText('rescan')}.`)}
`

const pollMs = 1_000
/** How long a chain may be unfollowed: a takeover takes six seconds, a restart longer. */
const unfollowedMs = { before: 10_000, underway: 60_000 }

/** The arguments of `settlewire rescan`. */
export interface RescanArguments {
  readonly chain: string | null
  readonly from: number | null
  readonly to: number | null
  readonly paymentId: string | null
}

/** Parses the command line; null for `--help`. Throws `invalid_request` for a wrong argument. */
export function readArguments(args: readonly string[]): RescanArguments | null {
  const parsed = parse(args)
  const { chain = null, payment = null, from, to, help } = parsed.values
  if (help) return null
  const asked = { chain, paymentId: payment, from: blockOf('from', from), to: blockOf('to', to) }
  const wrong = complaints.find(({ applies }) => applies(asked))
  if (wrong !== undefined) throw new Failure('invalid_request', wrong.says)
  return asked
}

/** Refused command lines: the first row that applies is the error message. */
const complaints: readonly { readonly says: string; applies(asked: RescanArguments): boolean }[] = [
  {
    says: 'Give --chain and --from, or --payment.',
    applies: ({ paymentId, chain, from }) =>
      paymentId === null && (chain === null || from === null),
  },
  {
    says: '--payment begins at the creation of the payment: leave out --from and --to.',
    applies: ({ paymentId, from, to }) => paymentId !== null && (from !== null || to !== null),
  },
  {
    says: '--to is a block before --from.',
    applies: ({ from, to }) => from !== null && to !== null && to < from,
  },
  {
    says: `At most ${rescanBlocksMax} blocks can be read at once: rescan them in parts.`,
    applies: ({ from, to }) => from !== null && to !== null && to - from >= rescanBlocksMax,
  },
]

function blockOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new Failure('invalid_request', `--${name} takes the number of a block, such as 21000000.`)
}

const parse = (args: readonly string[]) =>
  readCommandLine({
    args: [...args],
    options: {
      chain: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      payment: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })

/**
 * One request for each chain. Throws `not_found` for a payment or chain not in the database.
 */
async function requestsFor(
  { chain, from, to, paymentId }: RescanArguments,
  { events }: Pick<Store, 'events'>,
): Promise<readonly RescanRequest[]> {
  const chains = new Set(chain === null ? [] : [chain])
  if (paymentId !== null) {
    const [payment] = await events.load(paymentKind, [paymentId])
    if (payment === undefined) {
      throw new Failure('not_found', `This database has no payment ${paymentId}.`)
    }
    if (chain === null) for (const accept of payment.terms.accept) chains.add(accept.chain)
  }
  for (const name of chains) {
    if ((await events.position(name)) === null) {
      throw new Failure('not_found', `This database has no blocks of a chain ${name}.`)
    }
  }
  return [...chains].map((name) => ({ chain: name, from, to, paymentId }))
}

/** Waits until a request is done; null if interrupted. Withdraws the request in any case. */
async function follow(
  asked: RescanRequest,
  { rescans }: Pick<Store, 'rescans'>,
  signal: AbortSignal,
): Promise<RescanReport | null> {
  const { chain } = asked
  const id = await rescans.request(asked)
  try {
    let followedAt = systemClock.now()
    while (!signal.aborted) {
      const progress = await rescans.progress(id)
      if (progress === null) {
        const words = 'The request was removed from the database: run the command again.'
        throw new Failure('chain_unavailable', words)
      }
      const { report, trouble, done } = progress
      if (done && report !== null && trouble === null) return report
      if (done) throw new Failure('chain_unavailable', trouble ?? undefined)
      const now = systemClock.now()
      if (await rescans.isFollowed(chain)) followedAt = now
      const patienceMs = report === null ? unfollowedMs.before : unfollowedMs.underway
      if (now - followedAt > patienceMs) {
        const words = `No server follows ${chain}: start one on this database, then run this again.`
        throw new Failure('chain_unavailable', words)
      }
      process.stderr.write(`${lineOf(chain, report, trouble)}\n`)
      await systemClock.sleep(pollMs, signal)
    }
    return null
  } finally {
    await rescans.withdraw(id)
  }
}

const lineOf = (chain: string, report: RescanReport | null, trouble: string | null): string => {
  const far =
    report === null
      ? 'waiting for the server that follows the chain'
      : `block ${report.next} of ${report.from} to ${report.to}, ${report.counts.missing} found`
  return `  ${chain}: ${far}${trouble === null ? '' : ` (${trouble})`}`
}

/** The database URL. For the embedded database a server is started until the command ends. */
async function openDatabase(config: Config, onClose: (closer: () => unknown) => void) {
  if (config.databaseUrl !== null) return config.databaseUrl
  requireDatabase(config.home)
  const running = await start({ ...config, port: 0, logLevel: 'error' })
  onClose(() => running.close())
  return running.databaseUrl
}

/** Runs all requests. Null if interrupted. */
async function run(asked: RescanArguments, signal: AbortSignal): Promise<RescanOutput | null> {
  const closers: (() => unknown)[] = []
  const onClose = (closer: () => unknown): void => void closers.unshift(closer)
  try {
    const clock = systemClock
    const url = await openDatabase(readConfig(root), onClose)
    const store = openStore({ url, clock, log: createLog({ level: 'error', clock }) })
    onClose(() => store.close())
    let words = ''
    let isWhole = true
    for (const request of await requestsFor(asked, store)) {
      const report = await follow(request, store, signal)
      if (report === null) return null
      words += wordsOf(request.chain, report)
      isWhole &&= (report.partly ?? []).length === 0
    }
    return { words, isWhole }
  } finally {
    for (const closer of closers) await closer()
  }
}

interface RescanOutput {
  readonly words: string
  /** Whether every provider answered for all blocks. */
  readonly isWhole: boolean
}

const headings: Readonly<Record<FindingKind, string>> = {
  missing: 'Missing in the history, now added to their payments by the ordinary rules',
  unclear:
    'In blocks, but the history may already contain them as part of a sum or balance. No payment was changed: check by hand',
  gone: 'In the history, but no provider shows them in their block. The server asks each provider; a denial changes the payment by the ordinary rules',
}

/** The report as text for people. */
export function wordsOf(chain: string, report: RescanReport): string {
  const { from, to, payments, counts, findings, unread, partly = [] } = report
  const concerned = new Set(
    findings.filter(({ kind }) => kind === 'missing').map(({ paymentId }) => paymentId),
  )
  const lines = [
    `Read of ${chain}: ${counted(to - from + 1, 'block')}, ${from} to ${to}, for ${counted(payments, 'payment')}.`,
    `Missing: ${counted(counts.missing, 'transfer')} of ${counted(concerned.size, 'payment')}.`,
  ]
  for (const { notReadFrom, providers, blocks } of partly) {
    const all = providers + notReadFrom.length
    const names = notReadFrom.join(' and ')
    const answers = notReadFrom.length === 1 ? 'answers' : 'answer'
    lines.push(
      `Read from ${providers} of ${all} providers in ${counted(blocks, 'block')}: run it again when ${names} ${answers}.`,
    )
  }
  for (const kind of ['missing', 'unclear', 'gone'] as const) {
    const listed = findings.filter((one) => one.kind === kind)
    if (counts[kind] === 0) continue
    lines.push('', `${headings[kind]}:`)
    lines.push(...listed.map((one) => `  ${one.paymentId} ${one.txHash} block ${one.block}`))
    const more = counts[kind] - listed.length
    if (more > 0) lines.push(`  and ${more} more`)
  }
  if (unread > 0) {
    lines.push('', `Payments by contracts in the native coin in ${unread} blocks cannot be found:`)
    lines.push('no provider stores the balances of that time.')
  }
  return `\n${lines.join('\n')}\n`
}

/** Runs the command. Resolves to its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  const read = readOrExit('rescan', () => readArguments(args))
  if (typeof read === 'number') return read
  if (read.asked === null) {
    process.stdout.write(usage)
    return operatorExits.done.code
  }
  try {
    const output = await run(read.asked, interrupted.signal)
    process.stdout.write(
      output?.words ??
        '\nThe request was withdrawn. Payments keep the money that was found by then.\n',
    )
    if (output === null) return operatorExits.interrupted.code
    return operatorExits[output.isWhole ? 'done' : 'incomplete'].code
  } catch (error) {
    process.stderr.write(complaint(error, 'rescan'))
    return operatorExits.failed.code
  }
}

if (import.meta.main) endProcess(await main(process.argv.slice(2)))
