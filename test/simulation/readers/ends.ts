import type { Until } from '@settlewire/client/until'
import type { Finality, Status } from '@settlewire/core/payment/status-model'

/** Where a reader may stop, by PROTOCOL.md, "End". A copy, so as not to use code under test. */
const ends: Readonly<Record<Until, readonly string[]>> = {
  closed: ['succeeded none', 'succeeded safe', 'succeeded final', 'failed', 'cancelled'],
  // An expired payment ends when its watch does.
  final: ['succeeded final', 'failed', 'cancelled', 'expired'],
}

/** The violation of a reader that has stopped in this state; null if it may stop. */
export function badEndOf(
  { status, finality }: { readonly status: Status; readonly finality: Finality },
  until: Until,
): string | null {
  const stand = status === 'succeeded' ? `${status} ${finality}` : status
  return ends[until].includes(stand) ? null : `has stopped at ${stand}, with until=${until}`
}
