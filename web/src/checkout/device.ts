import { type Clock, systemClock } from '@settlewire/client/clock'
import { pageSignals, type Signal } from '@settlewire/client/page-signals'

/** What the page runs on: its time, what it tells of itself, and its way to the server. */
export interface Device {
  readonly clock: Clock
  readonly signals: (listener: (signal: Signal) => void) => () => void
  /** Whether somebody may be looking at the page. */
  readonly isLookedAt: () => boolean
  /** Left out: the browser's own. */
  readonly fetch?: typeof fetch
}

export const thisDevice: Device = {
  clock: systemClock,
  signals: pageSignals,
  isLookedAt: () => document.visibilityState === 'visible',
}
