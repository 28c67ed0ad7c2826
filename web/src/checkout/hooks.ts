import { systemClock } from '@settlewire/client/clock'
import type { Instant } from '@settlewire/core/instant'
import { useEffect, useRef, useState } from 'react'

/** The time, updated each second while the page is visible, and at once when it becomes visible. */
export function useNow(): Instant {
  const [now, setNow] = useState(() => systemClock.now())
  useEffect(() => {
    const tick = () => {
      if (document.visibilityState === 'visible') setNow(systemClock.now())
    }
    const timer = setInterval(tick, 1_000)
    document.addEventListener('visibilitychange', tick)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', tick)
    }
  }, [])
  return now
}

/** The text that came with a key first; later texts with the same key are ignored. */
export function useFirstTextOf(key: string, text: string): string {
  const held = useRef({ key, text })
  if (held.current.key !== key) held.current = { key, text }
  return held.current.text
}

/** The newest value of a store outside of the components. */
export function useStore<T extends object>(
  subscribe: (listener: () => void) => () => void,
  read: () => T,
): T {
  const [value, setValue] = useState(read)
  useEffect(() => {
    // The value may have changed between the first render and this effect.
    setValue(read())
    return subscribe(() => setValue(read()))
  }, [subscribe, read])
  return value
}
