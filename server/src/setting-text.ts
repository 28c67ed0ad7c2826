/** Parsers for the text of a setting: each accepts one form, or throws a `SettingProblem`. */
import { isIP } from 'node:net'

/** One setting, as docs/generated/config.md prints it. */
export interface Setting {
  readonly name: string
  /** The values it takes, in words. */
  readonly takes: string
  /** The default, in words; null without a default. */
  readonly default: string | null
  readonly means: string
}

/** A setting with its parser. */
export interface SettingRow<T> extends Omit<Setting, 'name'> {
  /** Parses the text, or the default; throws `SettingProblem`. */
  readonly read: (text: string) => T
  /** Set if the setting is null when unset, because its printed default is only a description. */
  readonly unset?: null
}

/** A setting has an invalid value. The message continues a sentence that begins with its name. */
export class SettingProblem extends Error {}

export function problem(message: string): never {
  throw new SettingProblem(message)
}

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max
      ? value
      : problem(`must be a whole number from ${min} to ${max}`)
  }
}

export function pattern(form: RegExp, what: string): (text: string) => string {
  return (text) => (form.test(text) ? text : problem(`must be ${what}`))
}

export function choice<T extends string>(of: readonly T[]): (text: string) => T {
  return (text) =>
    of.find((each) => each === text.toLowerCase()) ?? problem(`must be one of ${of.join(', ')}`)
}

const switchWords: Readonly<Record<string, boolean>> = {
  ...{ on: true, true: true, yes: true, '1': true },
  ...{ off: false, false: false, no: false, '0': false },
}

export function onOff(text: string): boolean {
  const word = text.toLowerCase()
  return Object.hasOwn(switchWords, word)
    ? (switchWords[word] ?? false)
    : problem('must be on or off')
}

export function origin(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) problem('must be an http or https URL')
  if (url.username !== '' || url.password !== '') problem('must not hold a user or a password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    problem('must end after the host and port: a path, query or fragment is not supported')
  }
  return url.origin
}

export function webSocketUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^wss?:$/.test(url.protocol)) problem('must be a ws or wss URL')
  return text
}

export function redisUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^rediss?:$/.test(url.protocol)) problem('must be a redis:// URL')
  return text
}

export function databaseUrl(text: string): string | null {
  if (text === 'embedded') return null
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    problem('must be a postgres:// URL; special characters in the password are percent-encoded')
  }
  const missing: string[] = []
  if (url.hostname === '' && !url.searchParams.get('host')) missing.push('a host')
  if (url.username === '') missing.push('a user')
  if (url.pathname.length < 2) missing.push('a database name')
  if (missing.length > 0) problem(`is incomplete: it lacks ${missing.join(' and ')}`)
  return text
}

/** A number of bytes, optionally with the unit `KB` or `MB` (1,024 and 1,048,576). */
export function bytes(min: number, max: number): (text: string) => number {
  const factors: Readonly<Record<string, number>> = { KB: 1_024, MB: 1_048_576 }
  return (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,10}) ?(KB|MB)?$/.exec(text) ?? []
    const value = digits === '' ? Number.NaN : Number(digits) * (factors[unit] ?? 1)
    return value >= min && value <= max
      ? value
      : problem(`must be a number of bytes from ${min} to ${max}, such as 65536, 64 KB or 4 MB`)
  }
}

/** Addresses and networks of proxies. `loopback` means the IPv4 and IPv6 loopback networks. */
export function proxies(text: string): readonly string[] {
  if (text === 'none') return []
  return text.split(',').flatMap((part) => {
    const entry = part.trim()
    if (entry === 'loopback') return ['127.0.0.0/8', '::1/128']
    const [address = '', bits] = entry.split('/')
    const version = isIP(address)
    const bitsMax = version === 4 ? 32 : 128
    const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)
    if (version === 0 || !isNetwork) {
      problem('must be addresses or networks such as 10.0.0.0/8, separated by commas')
    }
    return [`${address}/${bits ?? bitsMax}`]
  })
}
