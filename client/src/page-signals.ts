import type { Stop } from './clock.ts'
import type { Input } from './stream-state.ts'

/** The inputs that come from the device. */
export type Signal = Extract<Input, 'offline' | 'online' | 'visible' | 'frozen' | 'restored'>

/**
 * Listens to the page's events, because phones drop sockets without notice. Only `pageshow` tells
 * whether the page leaves the back/forward cache. Without a document it does nothing.
 */
export function pageSignals(listener: (signal: Signal) => void): Stop {
  if (typeof document === 'undefined') return () => undefined
  const stop = new AbortController()
  const on = (target: EventTarget, type: string, call: (event: Event) => void) =>
    target.addEventListener(type, call, { signal: stop.signal })

  on(globalThis, 'offline', () => listener('offline'))
  on(globalThis, 'online', () => listener('online'))
  // The user returns to a window that was visible beside another one.
  on(globalThis, 'focus', () => listener('visible'))
  on(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') listener('visible')
  })
  on(globalThis, 'pagehide', (event) => {
    if ((event as PageTransitionEvent).persisted) listener('frozen') // the type of `pagehide`
  })
  on(globalThis, 'pageshow', (event) => {
    if ((event as PageTransitionEvent).persisted) listener('restored') // the type of `pageshow`
  })
  return () => stop.abort()
}
