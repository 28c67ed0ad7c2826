import type { Stop } from './clock.ts'
import type { Input } from './stream-state.ts'

/** What a device tells of itself. */
export type Signal = Extract<Input, 'offline' | 'online' | 'visible' | 'frozen' | 'restored'>

/**
 * Listens to the page: phones drop sockets without a word, and a page that comes out of the
 * back/forward cache fires `pageshow`, not `visibilitychange`. Outside of a page it says nothing.
 */
export function pageSignals(listener: (signal: Signal) => void): Stop {
  if (typeof document === 'undefined') return () => undefined
  const stop = new AbortController()
  const on = (target: EventTarget, type: string, call: (event: Event) => void) =>
    target.addEventListener(type, call, { signal: stop.signal })

  on(globalThis, 'offline', () => listener('offline'))
  on(globalThis, 'online', () => listener('online'))
  // A window that stood in view beside another one becomes the one that is used.
  on(globalThis, 'focus', () => listener('visible'))
  on(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') listener('visible')
  })
  on(globalThis, 'pagehide', (event) => {
    if ((event as PageTransitionEvent).persisted) listener('frozen') // the type goes with the name
  })
  on(globalThis, 'pageshow', (event) => {
    if ((event as PageTransitionEvent).persisted) listener('restored') // the type goes with the name
  })
  return () => stop.abort()
}
