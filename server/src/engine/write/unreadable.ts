import type { Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'

/**
 * How many payments are remembered as logged; then the memory is cleared and all are logged again.
 */
const loggedMax = 10_000

/**
 * Logs and counts each payment whose stored state cannot be read, once per process, because every
 * block may meet it again.
 */
export function reportUnreadable(log: Log, metrics: Pick<Metrics, 'quarantined'>): Unreadable {
  const logged = new Set<string>()
  return (paymentId, error) => {
    if (logged.has(paymentId)) return
    if (logged.size >= loggedMax) logged.clear()
    logged.add(paymentId)
    metrics.quarantined()
    log.error(
      { paymentId, error },
      'the stored state of a payment cannot be read: it is quarantined',
    )
  }
}
