import type { PaymentEvent } from '@settlewire/core/payment/event'
import { dataOf, eventOf, shortType } from '@settlewire/core/payment/event-text'
import type { EventStore, StoredEvent } from '../../server/src/ports/history.ts'

/** A payment's history with the observations behind it, as core decided it. */
export const pastOf = async (
  store: Pick<EventStore, 'history'>,
  paymentId: string,
): Promise<readonly PaymentEvent[]> =>
  (await store.history(paymentId, 0, 1_000)).map((sealed) => eventOf(sealed))

/** `type:status` of an event of a payment. */
export const toldBy = (stored: Pick<StoredEvent, 'type' | 'dataJson'>): string =>
  `${shortType(stored.type)}:${dataOf(stored).status}`
