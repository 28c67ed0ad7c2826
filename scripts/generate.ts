/**
 * Prints docs/generated from code: the statuses, the errors, the settings, the chains, the scopes. Run it after changing one
 * of these; a test compares what is committed with what this prints.
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
import type { Access } from '../server/src/http/access.ts'
import { routeAccess } from '../server/src/http/route-access.ts'
import type { Preset } from '../server/src/registry/preset.ts'
import { presets } from '../server/src/registry/presets.ts'

/** Where the pages are. */
export const generatedUrl = new URL('../docs/generated/', import.meta.url)

/** The pages by file name, as they should be. */
export const pages: Readonly<Record<string, () => string>> = {
  'states.md': statesPage,
  'errors.md': errorsPage,
  'config.md': configPage,
  'chains.md': chainsPage,
  'scopes.md': scopesPage,
}

const note = '<!-- Printed from code by `npm run generate`. Do not edit. -->'

function statesPage(): string {
  return joinPage([
    '# Statuses',
    'Where a payment intent stands. The same words in REST, streams, webhooks and on every screen.',
    table(
      ['status', 'means', 'evidence on record', 'for the payer', 'the operator'],
      statuses.map((status) => {
        const { means, evidence, operator } = statusNotices[status]
        const { life } = statusTable[status]
        const { label } = statusWords[status]
        return [code(status), means, evidence, `“${label}”, ${life}`, operator]
      }),
    ),
    '`open`: it may change by itself. `closed`: closed to the payer. A stream ends after ' +
      `${list(statuses.filter((status) => statusTable[status].endsStream))}. The payer's countdown runs in ` +
      `${list(statuses.filter((status) => statusTable[status].countsDown))}.`,
    '## Edges',
    'From the row to the column, told by the event in the cell. What is empty cannot happen. Within any ' +
      `status ${list(aside)} may be told as well; from ${list(replaceable)} back to \`awaiting\` also ` +
      '`replaced`, when the new transaction does not pay; and from `confirming` back to ' +
      `${list(retractable)} also ${list(retracting)}, when no source shows its money any more, or a ` +
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
    'How far one movement of money has come.',
    table(
      ['stage', 'told to the payer', 'the operator'],
      Object.entries(stageNotices).map(([stage, { payer, operator }]) => [
        ...[code(stage), payer, operator],
      ]),
    ),
    'With the stage `ignored`, why it does not count:',
    ignoredTable(),
    '## Flags',
    'Said beside the status, several at once, never instead of it. The choices are the actions of ' +
      '`POST /v1/payment-intents/{id}/resolve` that make sense of it.',
    noticeTable(
      'flag',
      flags.map((flag) => ({ name: flag, payer: flagWords[flag], ...flagNotices[flag] })),
    ),
    '## Reasons',
    'Why a payment stands where it does, or what an event tells. A reason that a merchant gave, such ' +
      'as that of a withdrawal, stands in its own words.',
    noticeTable(
      'reason',
      reasons.map((one) => ({ name: one, payer: reasonWords[one], ...reasonNotices[one] })),
    ),
    '## What a person may decide',
    'By status: `in_blocks`, when there is money in a block, counted or not; `beside`, when there is ' +
      'money in a block that does not count; `seen` and `rest`, always, about all that was seen or what ' +
      'is left in blocks; `nothing`, always, and it is only noted or lets the request wait. What is ' +
      'empty answers `nothing_to_resolve`. After a success that was lost, all of them may be decided.',
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
    ['ignored', 'told to the payer', 'the operator'],
    Object.entries(ignoredWords).map(([name, { why, todo }]) => [
      code(name),
      todo === null ? '' : `${why} ${todo}`,
      // The two tables have the same rows, by type.
      ignoredNotices[name as keyof typeof ignoredNotices],
    ]),
  )

interface NoticeRow extends Notice {
  readonly name: string
  readonly payer: string | null
}

const noticeTable = (head: string, rows: readonly NoticeRow[]): string =>
  table(
    [head, 'told to the payer', 'the operator', 'needs a person', 'choices'],
    rows.map(({ name, payer, operator, needsPerson, choices }) => [
      ...[code(name), payer ?? '', operator, needsPerson ? 'yes' : '', list(choices)],
    ]),
  )

function errorsPage(): string {
  return joinPage([
    '# Errors',
    'Every refusal is an RFC 9457 problem document (`application/problem+json`). Decide by `code`, never ' +
      'by the words. Retry: `never` helps nothing; `later` the same request may work; `changed` another ' +
      'request is needed.',
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
    'Environment variables, all optional. A value that does not fit, and settings that contradict each ' +
      'other, stop the start with one message that names them all.',
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
    'What each preset of the registry holds true of its chain, from `server/src/registry`. How it is used, ' +
      'and what becomes of it when the chain contradicts it: [docs/chains.md](../chains.md).',
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
    'So many blocks, the one of the transfer included, or a tag; by amount where it says to which. ' +
      'Every preset asks for two providers where the money is real.',
    paidTable(rows),
    '## Tokens',
    'Twins are bridged forms that are easily taken for the other: they are watched, and never count as it.',
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
    'A provider that shows another id or another first block is not believed.',
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

const callers: Readonly<Record<Exclude<Access['who'], 'anyone'>, string>> = {
  key: 'a key',
  owner: 'a key of the payment’s merchant',
  owner_or_client: 'a key of the payment’s merchant, or the client secret or cookie of the payment',
}

function scopesPage(): string {
  const routes = Object.entries<Access>(routeAccess).flatMap(([route, access]) =>
    access.who === 'anyone' ? [] : [{ route, ...access }],
  )
  return joinPage([
    '# Scopes',
    'What a restricted key (`rk_…`) may be given: `settlewire key create --scope <name>`, as often as wanted. ' +
      'A secret key may do all of it, a publishable key none of it.',
    table(
      ['scope', 'lets'],
      keyScopes.map((scope) => [code(scope), scopeTable[scope].lets]),
    ),
    '## Routes',
    'Each route asks for one scope. A key that lacks it is answered with 403 `scope_missing`, whose `detail` ' +
      'names it. The levers of the sandbox (`/v1/test/…`) ask for `payment_intents:write`.',
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
