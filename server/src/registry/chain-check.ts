/** Checks fields of a chain against each other. Malformed fields are skipped. */
import { type ConfigPlace, isObject } from './form.ts'
import { presets } from './presets.ts'

type WrittenObject = Readonly<Record<string, unknown>>

/** Reports contradictions in one chain; `chain-form.ts` reports malformed fields. */
export function checkTogether(written: unknown, place: ConfigPlace): void {
  if (!isObject(written)) return
  const preset = presetOf(written)
  if (preset === null && 'preset' in written) return
  const native = preset?.native.symbol ?? texts([objectAt(written, 'native').symbol])[0]
  const added = Object.keys(objectAt(written, 'tokens'))
  const symbols = [...(preset?.tokens.map(({ symbol }) => symbol) ?? []), ...added]
  const known = new Set([...symbols, ...(native === undefined ? [] : [native])])
  checkTokens(written, place, { preset, native })
  checkNames(written, place, known)
  checkDust(written, place, decimalsOf(written, preset))
  checkProviders(written, place)
  checkLevels(written, place, preset?.tags ?? texts(arrayAt(written, 'tags')))
}

type KnownPreset = (typeof presets)[keyof typeof presets]

function presetOf({ preset }: WrittenObject): KnownPreset | null {
  const found = Object.entries(presets).find(([name]) => name === preset)
  return found?.[1] ?? null
}

function checkTokens(
  written: WrittenObject,
  place: ConfigPlace,
  { preset, native }: { preset: KnownPreset | null; native: string | undefined },
): void {
  const addresses = new Map(
    preset?.tokens.map(({ symbol, address }) => [address.toLowerCase(), symbol]),
  )
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    const at = place.at('tokens').at(symbol)
    if (symbol === native) at.report('is the symbol of the native coin')
    if (preset?.tokens.some((each) => each.symbol === symbol)) {
      at.report('is already in the preset: leave it out')
    }
    if (!isObject(token) || typeof token.address !== 'string') continue
    const address = token.address.toLowerCase()
    const before = addresses.get(address)
    if (before !== undefined && before !== symbol) {
      at.at('address').report(`is already the contract of ${before}`)
    }
    addresses.set(address, symbol)
  }
}

function checkNames(written: WrittenObject, place: ConfigPlace, known: ReadonlySet<string>): void {
  const list = [...known].join(', ')
  texts(arrayAt(written, 'accept')).forEach((symbol, index) => {
    const at = place.at('accept').at(index)
    if (!known.has(symbol)) at.report(`is unknown on this chain: known symbols are ${list}`)
    else if (symbol.includes('.')) at.report('has a dot in its symbol and cannot be accepted')
  })
  const named = [
    ...Object.keys(objectAt(written, 'dust')).map((name) => [place.at('dust'), name] as const),
    ...Object.keys(objectAt(objectAt(written, 'policy'), 'tiers'))
      .filter((name) => name !== '*')
      .map((name) => [place.at('policy').at('tiers'), name] as const),
  ]
  for (const [at, name] of named) {
    if (!known.has(name)) at.at(name).report(`is unknown on this chain: known symbols are ${list}`)
  }
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    if (!isObject(token) || typeof token.twinOf !== 'string') continue
    if (token.twinOf === symbol || !known.has(token.twinOf)) {
      place.at('tokens').at(symbol).at('twinOf').report(`must be another symbol of: ${list}`)
    }
  }
}

/** The decimals of each asset, where well formed. */
function decimalsOf(
  written: WrittenObject,
  preset: KnownPreset | null,
): ReadonlyMap<string, number> {
  const scales = new Map<string, number>(
    [...(preset?.tokens ?? []), ...(preset === null ? [] : [preset.native])].map(
      ({ symbol, decimals }) => [symbol, decimals] as const,
    ),
  )
  const native = objectAt(written, 'native')
  const added = [
    ...Object.entries(objectAt(written, 'tokens')),
    ...texts([native.symbol]).map((symbol) => [symbol, { decimals: 18, ...native }] as const),
  ]
  for (const [symbol, asset] of added) {
    if (isObject(asset) && typeof asset.decimals === 'number') scales.set(symbol, asset.decimals)
  }
  return scales
}

function checkDust(
  written: WrittenObject,
  place: ConfigPlace,
  decimals: ReadonlyMap<string, number>,
): void {
  const check = (symbol: string, dust: unknown, at: ConfigPlace): void => {
    const scale = decimals.get(symbol)
    const places = typeof dust === 'string' ? (dust.split('.')[1]?.length ?? 0) : 0
    if (scale !== undefined && places > scale)
      at.report(`has more than the ${scale} decimals of its asset`)
  }
  for (const [symbol, dust] of Object.entries(objectAt(written, 'dust'))) {
    check(symbol, dust, place.at('dust').at(symbol))
  }
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    if (isObject(token)) check(symbol, token.dust, place.at('tokens').at(symbol).at('dust'))
  }
}

/** Refuses the same node twice, because it would count twice towards the quorum. */
function checkProviders(written: WrittenObject, place: ConfigPlace): void {
  const seen = { name: new Set<unknown>(), url: new Set<unknown>() }
  const providers = arrayAt(written, 'providers')
  providers.forEach((provider, index) => {
    if (!isObject(provider)) return
    const at = place.at('providers').at(index)
    for (const key of ['name', 'url'] as const) {
      const value = provider[key]
      if (typeof value === 'string' && seen[key].has(value)) {
        at.at(key).report('repeats that of another provider: each must be a different node')
      }
      seen[key].add(value)
    }
  })
  const { quorum } = objectAt(written, 'policy')
  if (providers.length > 0 && Number(quorum) > providers.length) {
    const detail = `is more than the number of providers, which is ${providers.length}`
    place.at('policy').at('quorum').report(detail)
  }
}

/** Refuses a tag that the nodes do not support: no transfer would ever reach it. */
function checkLevels(written: WrittenObject, place: ConfigPlace, tags: readonly string[]): void {
  const policy = objectAt(written, 'policy')
  const at = place.at('policy')
  const check = (level: unknown, where: ConfigPlace): void => {
    if ((level === 'safe' || level === 'finalized') && !tags.includes(level)) {
      where.report(`is not supported by this chain, whose tags are: ${tags.join(', ') || 'none'}`)
    }
  }
  check(policy.settled, at.at('settled'))
  check(policy.final, at.at('final'))
  for (const [symbol, tiers] of Object.entries(objectAt(policy, 'tiers'))) {
    if (!Array.isArray(tiers)) continue
    tiers.forEach((tier: unknown, index) => {
      const here = at.at('tiers').at(symbol).at(index)
      if (isObject(tier)) check(tier.settled, here.at('settled'))
      if (!rises(tiers[index - 1], tier))
        here.at('upTo').report('must be more than in the previous tier')
    })
  }
}

/** Whether the second of two tiers has the higher bound; null is unlimited, so it must be last. */
function rises(before: unknown, tier: unknown): boolean {
  if (before === undefined || !isObject(before) || !isObject(tier)) return true
  if (before.upTo === null) return false
  return tier.upTo === null || isMore(String(tier.upTo), String(before.upTo))
}

/** Compares decimal strings exactly. */
function isMore(a: string, b: string): boolean {
  const [[wholeA = '', partA = ''], [wholeB = '', partB = '']] = [a.split('.'), b.split('.')]
  const length = Math.max(wholeA.length, wholeB.length)
  return (
    wholeA.padStart(length, '0') + partA.padEnd(40, '0') >
    wholeB.padStart(length, '0') + partB.padEnd(40, '0')
  )
}

const objectAt = (value: WrittenObject, key: string): WrittenObject => {
  const member = value[key]
  return isObject(member) ? member : {}
}

const arrayAt = (value: WrittenObject, key: string): readonly unknown[] => {
  const member = value[key]
  return Array.isArray(member) ? member : []
}

const texts = (values: readonly unknown[]): string[] =>
  values.filter((value) => typeof value === 'string')
