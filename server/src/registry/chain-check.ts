/** What only shows when members of a chain are seen together. Looks at what is well formed, passes over the rest. */
import { isObject, type Place } from './form.ts'
import { presets } from './presets.ts'

type Written = Readonly<Record<string, unknown>>

/** Tells the problems of one chain as it was written; its form is read, and complained of, elsewhere. */
export function checkTogether(written: unknown, place: Place): void {
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

function presetOf({ preset }: Written): KnownPreset | null {
  const found = Object.entries(presets).find(([name]) => name === preset)
  return found?.[1] ?? null
}

function checkTokens(
  written: Written,
  place: Place,
  { preset, native }: { preset: KnownPreset | null; native: string | undefined },
): void {
  const addresses = new Map(
    preset?.tokens.map(({ symbol, address }) => [address.toLowerCase(), symbol]),
  )
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    const at = place.at('tokens').at(symbol)
    if (symbol === native) at.say('is the symbol of the native coin')
    if (preset?.tokens.some((each) => each.symbol === symbol)) {
      at.say('is in the preset already: leave it out')
    }
    if (!isObject(token) || typeof token.address !== 'string') continue
    const address = token.address.toLowerCase()
    const before = addresses.get(address)
    if (before !== undefined && before !== symbol) {
      at.at('address').say(`is the contract of ${before} already`)
    }
    addresses.set(address, symbol)
  }
}

function checkNames(written: Written, place: Place, known: ReadonlySet<string>): void {
  const list = [...known].join(', ')
  texts(arrayAt(written, 'accept')).forEach((symbol, index) => {
    const at = place.at('accept').at(index)
    if (!known.has(symbol)) at.say(`is not known on this chain: there is ${list}`)
    else if (symbol.includes('.')) at.say('has a dot in its symbol and cannot be asked for by it')
  })
  const named = [
    ...Object.keys(objectAt(written, 'dust')).map((name) => [place.at('dust'), name] as const),
    ...Object.keys(objectAt(objectAt(written, 'policy'), 'tiers'))
      .filter((name) => name !== '*')
      .map((name) => [place.at('policy').at('tiers'), name] as const),
  ]
  for (const [at, name] of named) {
    if (!known.has(name)) at.at(name).say(`is not known on this chain: there is ${list}`)
  }
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    if (!isObject(token) || typeof token.twinOf !== 'string') continue
    if (token.twinOf === symbol || !known.has(token.twinOf)) {
      place.at('tokens').at(symbol).at('twinOf').say(`must be another symbol: there is ${list}`)
    }
  }
}

/** The scale of each asset whose scale is well formed. */
function decimalsOf(written: Written, preset: KnownPreset | null): ReadonlyMap<string, number> {
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

function checkDust(written: Written, place: Place, decimals: ReadonlyMap<string, number>): void {
  const check = (symbol: string, dust: unknown, at: Place): void => {
    const scale = decimals.get(symbol)
    const places = typeof dust === 'string' ? (dust.split('.')[1]?.length ?? 0) : 0
    if (scale !== undefined && places > scale)
      at.say(`has more than the ${scale} places of its asset`)
  }
  for (const [symbol, dust] of Object.entries(objectAt(written, 'dust'))) {
    check(symbol, dust, place.at('dust').at(symbol))
  }
  for (const [symbol, token] of Object.entries(objectAt(written, 'tokens'))) {
    if (isObject(token)) check(symbol, token.dust, place.at('tokens').at(symbol).at('dust'))
  }
}

/** Two names for one node are one witness. */
function checkProviders(written: Written, place: Place): void {
  const seen = { name: new Set<unknown>(), url: new Set<unknown>() }
  const providers = arrayAt(written, 'providers')
  providers.forEach((provider, index) => {
    if (!isObject(provider)) return
    const at = place.at('providers').at(index)
    for (const key of ['name', 'url'] as const) {
      const value = provider[key]
      if (typeof value === 'string' && seen[key].has(value)) {
        at.at(key).say('is that of a provider before it: each must be another node')
      }
      seen[key].add(value)
    }
  })
  const { quorum } = objectAt(written, 'policy')
  if (providers.length > 0 && Number(quorum) > providers.length) {
    place.at('policy').at('quorum').say(`needs as many providers: there are ${providers.length}`)
  }
}

/** A tag that no node here answers would never be reached. */
function checkLevels(written: Written, place: Place, tags: readonly string[]): void {
  const policy = objectAt(written, 'policy')
  const at = place.at('policy')
  const check = (level: unknown, where: Place): void => {
    if ((level === 'safe' || level === 'finalized') && !tags.includes(level)) {
      where.say(`is a tag that this chain does not answer: there is ${tags.join(', ') || 'none'}`)
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
        here.at('upTo').say('must be more than in the tier before')
    })
  }
}

/** Whether the second of two tiers has the higher bound; null is without one, so nothing follows it. */
function rises(before: unknown, tier: unknown): boolean {
  if (before === undefined || !isObject(before) || !isObject(tier)) return true
  if (before.upTo === null) return false
  return tier.upTo === null || isMore(String(tier.upTo), String(before.upTo))
}

/** Decimal strings, compared to the last digit. */
function isMore(a: string, b: string): boolean {
  const [[wholeA = '', partA = ''], [wholeB = '', partB = '']] = [a.split('.'), b.split('.')]
  const length = Math.max(wholeA.length, wholeB.length)
  return (
    wholeA.padStart(length, '0') + partA.padEnd(40, '0') >
    wholeB.padStart(length, '0') + partB.padEnd(40, '0')
  )
}

const objectAt = (value: Written, key: string): Written => {
  const member = value[key]
  return isObject(member) ? member : {}
}

const arrayAt = (value: Written, key: string): readonly unknown[] => {
  const member = value[key]
  return Array.isArray(member) ? member : []
}

const texts = (values: readonly unknown[]): string[] =>
  values.filter((value) => typeof value === 'string')
