import type { ErrorCode } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { KeyStanding } from '../ports/access.ts'

/** Why a key opens nothing any more. */
export type KeyRefusal = Extract<ErrorCode, 'key_revoked' | 'key_expired' | 'merchant_disabled'>

/**
 * Null while the key opens what it is for. A revocation holds at once, whatever the clock of this process
 * says; only the end of an overlap is a matter of time.
 */
export function refusalOf(standing: KeyStanding, now: Instant): KeyRefusal | null {
  const { revokedAt, expiresAt, merchantDisabledAt } = standing
  if (revokedAt !== null) return 'key_revoked'
  if (expiresAt !== null && expiresAt <= now) return 'key_expired'
  return merchantDisabledAt === null ? null : 'merchant_disabled'
}
