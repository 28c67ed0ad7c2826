/** Output of operator commands: columns for people, objects for programs. */
import { type Instant, toRfc3339, toRfc3339OrNull } from '@settlewire/core/instant'
import { refusalOf } from '../http/key-refusal.ts'
import type { ApiKey, Merchant } from '../ports/access.ts'

/** A table with a head row, each column as wide as its widest cell. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}

/** A list of names and values. */
export const fields = (rows: readonly (readonly [string, string])[]): string =>
  columns(
    ['', ''],
    rows.map(([name, value]) => [name, value]),
  ).trimStart()

/** A time for people, to the second. */
export const timeOf = (at: Instant | null): string =>
  at === null ? '-' : toRfc3339(at).replace(/\.\d+Z$/, 'Z')

/** A merchant as JSON. */
export const merchantJson = (merchant: Merchant) => ({
  id: merchant.id,
  object: 'merchant',
  name: merchant.name,
  xpub: merchant.xpub,
  takesLive: merchant.takesLive,
  createdAt: toRfc3339(merchant.createdAt),
  disabledAt: toRfc3339OrNull(merchant.disabledAt),
})

/** A key as JSON. Without its secret, which is not stored. */
export const keyJson = (key: ApiKey) => ({
  id: key.id,
  object: 'key',
  merchantId: key.merchantId,
  livemode: key.livemode,
  kind: key.kind,
  scopes: key.scopes,
  name: key.name,
  prefix: key.prefix,
  createdAt: toRfc3339(key.createdAt),
  lastUsedAt: toRfc3339OrNull(key.lastUsedAt),
  expiresAt: toRfc3339OrNull(key.expiresAt),
  replacedBy: key.replacedBy,
  revokedAt: toRfc3339OrNull(key.revokedAt),
})

/** Whether a key is neither revoked nor expired, even if its merchant is disabled. */
export const isLive = (key: ApiKey, now: Instant): boolean =>
  refusalOf({ ...key, merchantDisabledAt: null }, now) === null

/** The state of a key in a few words. */
export function keyStateText(key: ApiKey, now: Instant): string {
  switch (refusalOf(key, now)) {
    case 'key_revoked':
      return `revoked ${timeOf(key.revokedAt)}`
    case 'key_expired':
      return `expired ${timeOf(key.expiresAt)}`
    case 'merchant_disabled':
      return 'merchant disabled'
    case null:
      return key.expiresAt === null ? 'active' : `expires ${timeOf(key.expiresAt)}`
  }
}

const keyHead = ['ID', 'KEY', 'NAME', 'KIND', 'MODE', 'MERCHANT', 'CREATED', 'LAST USED', 'STATE']

/** Keys as a table. Restricted keys have their scopes beside their kind. */
export const keyTable = (keys: readonly ApiKey[], now: Instant): string =>
  keys.length === 0
    ? 'No keys.'
    : columns(
        keyHead,
        keys.map((key) => [
          ...[key.id, `${key.prefix}…`, key.name || '-', kindOf(key)],
          ...[key.livemode ? 'live' : 'test', key.merchantId, timeOf(key.createdAt)],
          ...[timeOf(key.lastUsedAt), keyStateText(key, now)],
        ]),
      )

const kindOf = ({ kind, scopes }: ApiKey): string =>
  scopes.length === 0 ? kind : `${kind} (${scopes.join(' ')})`
