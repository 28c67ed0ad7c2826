import type { ErrorCode } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { KeyStanding } from '../ports/access.ts'

/** Why a key is refused that was valid before. */
export type KeyRefusal = Extract<ErrorCode, 'key_revoked' | 'key_expired' | 'merchant_disabled'>

/**
 * Null while the key is valid. A revocation takes effect at once, whatever the clock of this
 * process says; only the end of a rotation's overlap depends on the clock.
 */
export function refusalOf(standing: KeyStanding, now: Instant): KeyRefusal | null {
  const { revokedAt, expiresAt, merchantDisabledAt } = standing
  if (revokedAt !== null) return 'key_revoked'
  if (expiresAt !== null && expiresAt <= now) return 'key_expired'
  return merchantDisabledAt === null ? null : 'merchant_disabled'
}
