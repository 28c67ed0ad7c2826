import { systemClock } from '@settlewire/client/clock'
import type { Instant } from '@settlewire/core/instant'
import { useEffect, useRef, useState } from 'react'

/** The time, each second while the page is looked at, and at once when it is looked at again. */
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

/** The text as it was when the key last changed. */
export function useTextOf(key: string, text: string): string {
  const held = useRef({ key, text })
  if (held.current.key !== key) held.current = { key, text }
  return held.current.text
}

/** What is held outside of the page, always the newest. */
export function useHeld<T extends object>(
  subscribe: (listener: () => void) => () => void,
  read: () => T,
): T {
  const [held, hold] = useState(read)
  useEffect(() => {
    // It may have moved on between the first look and this one.
    hold(read())
    return subscribe(() => hold(read()))
  }, [subscribe, read])
  return held
}
