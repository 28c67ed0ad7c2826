/** Reads what a person wrote: every problem is told with its place, and no value is ever repeated. */
import type { FieldError } from '@settlewire/core/errors'

/** A place in what was written, and where its problems are gathered. */
export class Place {
  readonly pointer: string
  readonly #problems: FieldError[]

  constructor(problems: FieldError[], pointer = '') {
    this.#problems = problems
    this.pointer = pointer
  }

  /** The place of a member, as a JSON pointer. */
  at(key: string | number): Place {
    const escaped = String(key).replaceAll('~', '~0').replaceAll('/', '~1')
    return new Place(this.#problems, `${this.pointer}/${escaped}`)
  }

  /** Whether a problem was told of this place, or of one in it. */
  get isWrong(): boolean {
    return this.#problems.some(({ pointer }) => `${pointer}/`.startsWith(`${this.pointer}/`))
  }

  /** The detail continues a sentence that begins with the place: `must be …`. */
  say(detail: string): typeof invalid {
    this.#problems.push({ pointer: this.pointer, detail })
    return invalid
  }
}

/** What could not be read. Its problem was told already. */
export const invalid = Symbol('invalid')

/** Reads a value, or tells what is wrong with it. */
export type Reader<T> = (value: unknown, place: Place) => T | typeof invalid

/** As `Reader`, told the name that the value was written under. */
export type NamedReader<T> = (value: unknown, place: Place, name: string) => T | typeof invalid

export type Value<R> = R extends Reader<infer T> ? T : never

/** A member that may be left out: then it is null. */
export const optional =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, place) =>
    value === undefined ? null : read(value, place)

/** A text of a form. `what` says which: `a name such as …`. */
export const text =
  (form: RegExp, what: string): Reader<string> =>
  (value, place) =>
    typeof value === 'string' && form.test(value) ? value : place.say(`must be ${what}`)

export const whole =
  (min: number, max: number): Reader<number> =>
  (value, place) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : place.say(`must be a whole number from ${min} to ${max}`)

export const yesNo: Reader<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : place.say('must be true or false')

export const oneOf =
  <T extends string>(words: readonly T[]): Reader<T> =>
  (value, place) =>
    words.find((word) => word === value) ?? place.say(`must be one of ${words.join(', ')}`)

export const list =
  <T>(read: Reader<T>, { min, max }: { min: number; max: number }): Reader<readonly T[]> =>
  (value, place) => {
    if (!Array.isArray(value)) return place.say('must be a list')
    if (value.length < min) return place.say(`must name at least ${min}`)
    if (value.length > max) return place.say(`must name at most ${max}`)
    const items = value.map((item, index) => read(item, place.at(index)))
    const good = items.flatMap((item) => (item === invalid ? [] : [item]))
    return good.length === items.length ? good : invalid
  }

/** An object whose keys are chosen by whoever writes it. */
export const byName =
  <T>(name: Reader<string>, read: NamedReader<T>): Reader<ReadonlyMap<string, T>> =>
  (value, place) => {
    if (!isObject(value)) return place.say('must be an object')
    const entries = Object.entries(value).map(([key, member]) => {
      const fits = name(key, place.at(key))
      const item = read(member, place.at(key), key)
      return fits === invalid || item === invalid ? invalid : ([key, item] as const)
    })
    const good = entries.filter((entry) => entry !== invalid)
    return good.length === entries.length ? new Map(good) : invalid
  }

/** An object with these members and no others. */
export function object<F extends Readonly<Record<string, Reader<unknown>>>>(
  fields: F,
): Reader<{ readonly [K in keyof F]: Value<F[K]> }> {
  return (value, place) => {
    if (!isObject(value)) return place.say(value === undefined ? 'is missing' : 'must be an object')
    let isWhole = refuseUnknown(value, Object.keys(fields), place)
    const result: Record<string, unknown> = {}
    for (const [key, read] of Object.entries(fields)) {
      const member = read(value[key], place.at(key))
      if (member === invalid) isWhole = false
      else result[key] = member
    }
    // Every member was read by its own reader.
    return isWhole ? (result as { [K in keyof F]: Value<F[K]> }) : invalid
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuseUnknown(value: object, known: readonly string[], place: Place): boolean {
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  for (const key of unknown) {
    const meant = known.find((name) => isNear(name, key))
    place
      .at(key)
      .say(
        `is no setting here: ${meant ? `did you mean ${meant}?` : `there is ${known.join(', ')}`}`,
      )
  }
  return unknown.length === 0
}

/** One letter wrong, missing, doubled, swapped, or only the case. */
function isNear(name: string, typed: string): boolean {
  const [a, b] = [name.toLowerCase(), typed.toLowerCase()]
  if (a === b || a.startsWith(b) || b.startsWith(a)) return true
  const head = [...a].findIndex((letter, index) => letter !== b[index])
  const rest = (text: string, from: number): string => text.slice(head + from)
  return (
    rest(a, 1) === rest(b, 1) ||
    rest(a, 0) === rest(b, 1) ||
    rest(a, 1) === rest(b, 0) ||
    (a[head] === b[head + 1] && a[head + 1] === b[head] && rest(a, 2) === rest(b, 2))
  )
}
