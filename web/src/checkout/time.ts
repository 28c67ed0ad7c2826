import type { Instant } from '@settlewire/core/instant'

const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
const calendar = {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
} as const

/** English, like the words around it, with 24 hours; the time zone is that of the browser. */
const language = 'en-GB'
/** Created once, because creating one costs more than a hundred uses. */
const clockForm = new Intl.DateTimeFormat(language, clock)
const calendarForm = new Intl.DateTimeFormat(language, calendar)

/** `12:03:11`. */
export const timeOfDay = (at: Instant): string => clockForm.format(at)

/** `22 Nov, 12:03`. */
export const dateAndTime = (at: Instant): string => calendarForm.format(at)

/** `4:09`, `1:00:00`; never negative. */
export function remaining(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const pad = (part: number) => String(part).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  return hours > 0
    ? `${hours}:${pad(minutes % 60)}:${pad(seconds % 60)}`
    : `${minutes}:${pad(seconds % 60)}`
}
