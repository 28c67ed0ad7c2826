import type { Until } from '@settlewire/client/until'
import type { Finality, Status } from '@settlewire/core/payment/status-model'

/** PROTOCOL.md, "End": where a reader may stop. Written out here, so that no code under test is asked. */
const ends: Readonly<Record<Until, readonly string[]>> = {
  closed: ['succeeded none', 'succeeded safe', 'succeeded final', 'failed', 'cancelled'],
  // An expired payment ends when its watch does.
  final: ['succeeded final', 'failed', 'cancelled', 'expired'],
}

/** What is wrong with a reader that has stopped at this; null when it may. */
export function badEndOf(
  { status, finality }: { readonly status: Status; readonly finality: Finality },
  until: Until,
): string | null {
  const stand = status === 'succeeded' ? `${status} ${finality}` : status
  return ends[until].includes(stand) ? null : `has stopped at ${stand}, with until=${until}`
}
