import { type Clock, systemClock } from '@settlewire/client/clock'
import { pageSignals, type Signal } from '@settlewire/client/page-signals'

/** The environment of the page: its clock, its signals, and its way to the server. */
export interface Device {
  readonly clock: Clock
  readonly signals: (listener: (signal: Signal) => void) => () => void
  /** Whether the page is visible. */
  readonly isLookedAt: () => boolean
  /** Left out: the browser's own `fetch`. */
  readonly fetch?: typeof fetch
}

export const thisDevice: Device = {
  clock: systemClock,
  signals: pageSignals,
  isLookedAt: () => document.visibilityState === 'visible',
}
