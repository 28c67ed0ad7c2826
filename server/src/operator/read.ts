/** Parses arguments of operators: names, ids, durations. Throws `invalid_request` if invalid. */
import { Failure } from '@settlewire/core/errors'
import { isId } from '@settlewire/core/id'
import { textProblem } from '@settlewire/core/words/plain-text'

const nameMax = 100

/** A name of 1 to 100 characters without hidden characters, normalized to NFC. */
export function validName(text: string | null): string {
  if (text === null || text.trim() === '' || text.length > nameMax) {
    throw new Failure('invalid_request', `--name takes 1 to ${nameMax} characters.`)
  }
  const problem = textProblem(text)
  if (problem !== null) throw new Failure('invalid_request', `--name: ${problem}`)
  return text.normalize('NFC')
}

const things = { mer: 'a merchant', key: 'a key' } as const

/** The value of an option that must be given; `what` is added to the message. */
export function required(option: string, value: string | null, what = ''): string {
  if (value !== null && value !== '') return value
  throw new Failure('invalid_request', `--${option} is missing${what === '' ? '.' : `: ${what}`}`)
}

/** An id with this prefix. The message does not quote the text: it may be a secret. */
export function idOf(prefix: keyof typeof things, text: string): string {
  if (isId(prefix, text)) return text
  throw new Failure('invalid_request', `${formOfId(prefix)} The ids: ${listOf[prefix]}.`)
}

/** What an id with this prefix looks like. */
export const formOfId = (prefix: keyof typeof things): string =>
  `The id of ${things[prefix]} looks like ${prefix}_… with 26 characters after ${prefix}_.`

const listOf = {
  mer: 'npx settlewire merchant list',
  key: 'npx settlewire key list',
} as const satisfies Readonly<Record<keyof typeof things, string>>

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const durationMsMax = 90 * unitMs.d

/** A duration such as `30m`, `24h` or `7d`; `0` means none. At most 90 days. */
export function durationMsOf(option: string, text: string): number {
  if (text === '0') return 0
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN)
  if (ms > 0 && ms <= durationMsMax) return ms
  throw new Failure('invalid_request', `--${option} takes 30m, 24h, 7d, up to 90d, or 0.`)
}
