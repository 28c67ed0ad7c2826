import type { Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'

/** Payments that are remembered as logged; with more, the first are logged again. */
const loggedMax = 10_000

/**
 * Logs and counts each payment whose stored state cannot be read, once for as long as the process runs:
 * every block may meet it again.
 */
export function reportUnreadable(log: Log, metrics: Pick<Metrics, 'setAside'>): Unreadable {
  const logged = new Set<string>()
  return (paymentId, error) => {
    if (logged.has(paymentId)) return
    if (logged.size >= loggedMax) logged.clear()
    logged.add(paymentId)
    metrics.setAside()
    log.error({ paymentId, error }, 'the stored state of a payment cannot be read: it is set aside')
  }
}
