/**
 * Prints docs/generated from code: the statuses, errors, settings, chains, scopes and limits. Run it after
 * changing one of these; a test compares the committed pages with its output.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorCatalogue } from '../core/src/errors.ts'
import { resolutionActions } from '../core/src/payment/observation.ts'
import { resolvable } from '../core/src/payment/resolve.ts'
import {
  aside,
  edges,
  flags,
  replaceable,
  retractable,
  retracting,
  statuses,
  statusTable,
} from '../core/src/payment/status-model.ts'
import { keyScopes, scopeTable } from '../core/src/scope.ts'
import { flagWords } from '../core/src/words/flag-words.ts'
import {
  flagNotices,
  ignoredNotices,
  type Notice,
  reasonNotices,
  stageNotices,
  statusNotices,
} from '../core/src/words/notices.ts'
import { reasons, reasonWords } from '../core/src/words/reason-words.ts'
import { ignoredWords } from '../core/src/words/stage-words.ts'
import { statusWords } from '../core/src/words/words.ts'
import { settings } from '../server/src/config.ts'
import {
  codeOf,
  kindOf,
  type LimitOutcome,
  type LimitSetting,
  limitTable,
  metricOf,
} from '../server/src/edge-limit-table.ts'
import { edgeSettings } from '../server/src/edge-limits.ts'
import type { RouteAccess } from '../server/src/http/access.ts'
import { routeAccess } from '../server/src/http/route-access.ts'
import type { Preset } from '../server/src/registry/preset.ts'
import { presets } from '../server/src/registry/presets.ts'

/** The folder of the pages. */
export const generatedUrl = new URL('../docs/generated/', import.meta.url)

/** The generated pages by file name. */
export const pages: Readonly<Record<string, () => string>> = {
  'states.md': statesPage,
  'errors.md': errorsPage,
  'config.md': configPage,
  'chains.md': chainsPage,
  'scopes.md': scopesPage,
  'limits.md': limitsPage,
}

const note = '<!-- Printed from code by `npm run generate`. Do not edit. -->'

function statesPage(): string {
  return joinPage([
    '# Statuses',
    'The status of a payment intent. REST, streams, webhooks and all pages use the same words.',
    table(
      ['status', 'means', 'evidence on record', 'for the payer', 'the operator'],
      statuses.map((status) => {
        const { means, evidence, operator } = statusNotices[status]
        const { life } = statusTable[status]
        const { label } = statusWords[status]
        return [code(status), means, evidence, `“${label}”, ${life}`, operator]
      }),
    ),
    '`open`: the status may change by itself. `closed`: the payer can no longer pay. A stream ends ' +
      `after ${list(statuses.filter((status) => statusTable[status].endsStream))}. The payer's countdown runs in ` +
      `${list(statuses.filter((status) => statusTable[status].countsDown))}.`,
    '## Edges',
    'The cell names the event of the change from the row to the column; an empty cell is impossible. ' +
      `Within any status ${list(aside)} may be emitted as well; from ${list(replaceable)} back to \`awaiting\` also ` +
      '`replaced`, when the new transaction does not pay; and from `confirming` back to ' +
      `${list(retractable)} also ${list(retracting)}, when no source shows its money any more or a ` +
      'person set it aside.',
    table(
      ['from \\ to', ...statuses.map(code)],
      statuses.map((from) => [
        code(from),
        ...statuses.map((to) => {
          const event = edges[from][to]
          return event === null ? '' : code(event)
        }),
      ]),
    ),
    '## Stages of a transfer',
    'How far one transfer of money is.',
    table(
      ['stage', 'shown to the payer', 'the operator'],
      Object.entries(stageNotices).map(([stage, { payer, operator }]) => [
        ...[code(stage), payer, operator],
      ]),
    ),
    'The reasons why a transfer with the stage `ignored` does not count:',
    ignoredTable(),
    '## Flags',
    'Flags are shown in addition to the status, several at once. The choices are the actions of ' +
      '`POST /v1/payment-intents/{id}/resolve` that make sense for the flag.',
    noticeTable(
      'flag',
      flags.map((flag) => ({ name: flag, payer: flagWords[flag], ...flagNotices[flag] })),
    ),
    '## Reasons',
    'The reason for a status or for an event. A reason that a merchant gave, such ' +
      'as for a withdrawal, is shown as the merchant wrote it.',
    noticeTable(
      'reason',
      reasons.map((one) => ({ name: one, payer: reasonWords[one], ...reasonNotices[one] })),
    ),
    '## What a person may decide',
    'By status: `in_blocks` is allowed if there is money in a block, counted or not; `beside` if there is ' +
      'money in a block that does not count; `seen` (all money seen) and `rest` (what is left in blocks) ' +
      'always; `nothing` always, but it is only noted or makes the request wait. A request for an empty ' +
      'cell fails with `nothing_to_resolve`. After a success that was lost, all of them are allowed.',
    table(
      ['status', ...resolutionActions.map(code)],
      statuses.map((status) => [
        code(status),
        ...resolutionActions.map((action) => {
          const subject = resolvable[status][action]
          return subject === null ? '' : code(subject)
        }),
      ]),
    ),
  ])
}

const ignoredTable = (): string =>
  table(
    ['ignored', 'shown to the payer', 'the operator'],
    Object.entries(ignoredWords).map(([name, { why, todo }]) => [
      code(name),
      todo === null ? '' : `${why} ${todo}`,
      // Both tables have the same keys, by type.
      ignoredNotices[name as keyof typeof ignoredNotices],
    ]),
  )

interface NoticeRow extends Notice {
  readonly name: string
  readonly payer: string | null
}

const noticeTable = (head: string, rows: readonly NoticeRow[]): string =>
  table(
    [head, 'shown to the payer', 'the operator', 'needs a person', 'choices'],
    rows.map(({ name, payer, operator, needsPerson, choices }) => [
      ...[code(name), payer ?? '', operator, needsPerson ? 'yes' : '', list(choices)],
    ]),
  )

function errorsPage(): string {
  return joinPage([
    '# Errors',
    'Every error is an RFC 9457 problem document (`application/problem+json`). Decide by `code`, ' +
      'never by the words. Retry: `never`: a retry cannot succeed; `later`: the same request may ' +
      'succeed later; `changed`: send a changed request.',
    table(
      ['code', 'HTTP', 'what happened', 'what to do', 'retry'],
      Object.entries(errorCatalogue).map(([name, { status, title, advice, retry }]) => [
        code(name),
        String(status),
        title,
        advice,
        retry,
      ]),
    ),
  ])
}

function configPage(): string {
  return joinPage([
    '# Settings',
    'Environment variables, all optional. If a value is invalid or settings contradict each other, the ' +
      'start stops with one message that names all of them.',
    table(
      ['name', 'takes', 'default', 'means'],
      settings.map(({ name, takes, default: unset, means }) => [
        code(name),
        takes,
        unset ?? '',
        means,
      ]),
    ),
  ])
}

function chainsPage(): string {
  const rows: readonly PresetRow[] = Object.entries(presets)
  return joinPage([
    '# Presets',
    'The properties of the chain of each preset, from `server/src/registry`. How they are used, ' +
      'and what happens if the chain contradicts them: [docs/chains.md](../chains.md).',
    table(
      [
        'preset',
        'chain',
        'id',
        'money',
        'a block each',
        'mempool',
        'promises',
        'tags',
        'heads may differ by',
        'blooms',
      ],
      rows.map(([name, preset]) => [
        code(name),
        preset.title,
        String(preset.chainId),
        `${preset.native.symbol}, ${preset.livemode ? 'real' : 'test'}`,
        `${preset.blockMs / 1000} s`,
        preset.publicMempool ? 'public' : 'none',
        preset.preconfirmations === 'none' ? '' : code(preset.preconfirmations),
        list(preset.tags),
        `${preset.toleratedDepth} blocks`,
        preset.bloom,
      ]),
    ),
    '## When a payment counts as paid',
    'The number of blocks, including that of the transfer, or a tag. Where it depends on the amount, the ' +
      'limits are listed. Every preset requires two providers if the money is real.',
    paidTable(rows),
    '## Tokens',
    'Twins are bridged tokens that are easily mistaken for another one. They are watched, but they never ' +
      'count as that one.',
    table(
      ['preset', 'symbol', 'contract', 'decimals', 'dust below', 'published at'],
      rows.flatMap(([name, { tokens }]) =>
        tokens.map(({ symbol, address, decimals, dust, source, twinOf }) => [
          code(name),
          twinOf === undefined ? symbol : `${symbol}, twin of ${twinOf}`,
          code(address),
          String(decimals),
          dust,
          source,
        ]),
      ),
    ),
    '## Identity',
    'A provider with another id or another first block is refused.',
    table(
      ['preset', 'hash of block 0', 'published at', 'explorer'],
      rows.map(([name, { genesisHash, genesisSource, explorerTx }]) => [
        ...[code(name), code(genesisHash), genesisSource, code(explorerTx)],
      ]),
    ),
  ])
}

type PresetRow = readonly [string, Preset]

const paidTable = (rows: readonly PresetRow[]): string =>
  table(
    ['preset', 'asset', 'paid', 'final'],
    rows.flatMap(([name, { policy, tokens, native }]) =>
      [...tokens, native]
        .filter((asset) => !('twinOf' in asset))
        .map(({ symbol }) => [
          code(name),
          symbol,
          (policy.tiers[symbol] ?? [{ upTo: null, settled: policy.settled }])
            .map(({ upTo, settled }) => `${upTo === null ? 'more' : `to ${upTo}`}: ${settled}`)
            .join(', '),
          String(policy.final),
        ]),
    ),
  )

const callers: Readonly<Record<Exclude<RouteAccess['who'], 'anyone'>, string>> = {
  key: 'a key',
  owner: 'a key of the payment’s merchant',
  owner_or_client: 'a key of the payment’s merchant, or the client secret or cookie of the payment',
}

function scopesPage(): string {
  const routes = Object.entries<RouteAccess>(routeAccess).flatMap(([route, access]) =>
    access.who === 'anyone' ? [] : [{ route, ...access }],
  )
  return joinPage([
    '# Scopes',
    'The scopes of a restricted key (`rk_…`): `npx settlewire key create --scope <name>`, repeated as needed. ' +
      'A secret key has all of them, a publishable key none.',
    table(
      ['scope', 'allows'],
      keyScopes.map((scope) => [code(scope), scopeTable[scope].lets]),
    ),
    '## Routes',
    'Each route requires one scope. A key that lacks it gets 403 `scope_missing`, whose `detail` ' +
      'names it. The sandbox routes (`/v1/test/…`) require `payment_intents:write`.',
    table(
      ['route', 'scope', 'open to'],
      routes.map(({ route, scope, who }) => [
        code(route),
        scope === 'identity' ? 'none: any key, a publishable one too' : code(scope),
        callers[who],
      ]),
    ),
  ])
}

function limitsPage(): string {
  return joinPage([
    '# Limits',
    'What the server does beyond each limit. The code: where the client still gets an answer, the ' +
      '`code` of its problem document. Where a connection or a stream is closed, or waits, the client ' +
      'gets none: then the code is the `reason` of a line in the log of the server, at ' +
      '`LOG_LEVEL=debug`. The metric counts each case under the same code.',
    table(
      ['setting', 'default', 'the server', 'when', 'code', 'metric'],
      Object.entries(limitTable).flatMap(([setting, outcomes]) =>
        outcomes.map((outcome: LimitOutcome) => [
          code(setting),
          // The keys are settings, by type.
          edgeSettings[setting as LimitSetting].default,
          limitActions[kindOf(outcome)],
          outcome.when,
          code(codeOf(outcome)),
          code(metricOf(outcome)),
        ]),
      ),
    ),
  ])
}

const limitActions = {
  answer: 'refuses the request',
  close: 'closes the connection',
  pause: 'does not read further requests',
  endStream: 'ends the stream, which may be resumed',
} as const

const joinPage = (parts: readonly string[]): string => `${[note, ...parts].join('\n\n')}\n`

const code = (text: string): string => `\`${text}\``

const list = (names: readonly string[]): string => names.map(code).join(', ')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(generatedUrl, { recursive: true })
  for (const [name, print] of Object.entries(pages)) {
    writeFileSync(new URL(name, generatedUrl), print())
    console.log(`docs/generated/${name}`)
  }
}
