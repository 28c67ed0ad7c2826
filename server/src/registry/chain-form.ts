import { textProblem } from '@settlewire/core/words/plain-text'
import { z } from 'zod'
import { pendingModes, preconfirmationModes } from '../chain-config.ts'
import { hasGoodChecksum } from '../evm-address.ts'
import { byName, isObject, list, object, oneOf, optional, text, whole, yesNo } from './form.ts'
import { type PresetName, presets } from './presets.ts'

/** EIP-7708 logs transfers of the native coin with this address. No token has it. */
const nativeLogAddress = '0xfffffffffffffffffffffffffffffffffffffffe'

const blockCountMax = 100_000
const daySeconds = 24 * 3_600

export const chainNameForm = text(
  /^[a-z0-9][a-z0-9-]{0,31}$/,
  'a name of small letters, digits and dashes, such as base',
)
const symbol = text(/^[A-Za-z0-9][A-Za-z0-9.]{0,15}$/, 'a symbol such as USDC')
const currency = text(/^[A-Z][A-Z0-9]{1,11}$/, 'a currency code such as USDC')
const quantity = text(/^(0|[1-9]\d{0,30})(\.\d{1,30})?$/, 'a decimal string such as "0.01"')
const hash = text(/^0x[0-9a-f]{64}$/, 'a hash: 0x and 64 small hexadecimal digits')
const tag = oneOf(['safe', 'finalized'])

const address = z
  .string('must be an address: 0x and 40 hexadecimal digits')
  .regex(/^0x[0-9a-fA-F]{40}$/, {
    error: 'must be an address: 0x and 40 hexadecimal digits',
    abort: true,
  })
  .refine(hasGoodChecksum, {
    error: 'has a wrong checksum: a digit or its case is mistyped',
    abort: true,
  })
  .transform((written) => written.toLowerCase())
  .refine((lower) => lower !== nativeLogAddress, {
    error: 'is not a token: EIP-7708 logs transfers of the native coin with this address',
  })

const level = z.union(
  [z.enum(['safe', 'finalized']), z.int().min(1).max(blockCountMax)],
  `must be "safe", "finalized" or a number of blocks from 1 to ${blockCountMax}`,
)

const tiers = list(object({ upTo: quantity.nullable(), settled: level }), { min: 1, max: 10 })

const tierKey = text(/^(\*|[A-Za-z0-9][A-Za-z0-9.]{0,15})$/, 'a symbol such as USDC, or *')

const policy = {
  settled: optional(level),
  final: optional(level),
  quorum: optional(whole(1, 8)),
  tiers: optional(byName(tierKey, tiers)),
}

/** Which URLs a node can have, for messages. */
const urlInWords = 'a wss, ws, https or http URL'
const isUrl = (text: string): boolean => /^(wss?|https?):$/.test(URL.parse(text)?.protocol ?? '')

/** Reads an environment variable. */
export type ReadVariable = (name: string) => string | undefined

/** A URL, literal or from the environment. Errors never repeat it, because it may contain a key. */
const urlFrom = (variable: ReadVariable) =>
  z.unknown().transform((value, context): string => {
    const say = (message: string): never => {
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    if (!isObject(value)) {
      return typeof value === 'string' && isUrl(value) ? value : say(`must be ${urlInWords}`)
    }
    const { env, into } = value
    if (typeof env !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(env)) {
      return say("must name a variable: env('NAME')")
    }
    const found = variable(env)
    if (found === undefined || found === '') return say(`needs the variable ${env} to be set`)
    const placed = into === undefined ? found : urlWith(found, into)
    return isUrl(placed) ? placed : say(`must be ${urlInWords}, but ${env} does not result in one`)
  })

/**
 * Calls the user's `into`, which makes the URL from the variable's value. Its errors are dropped: a
 * message may contain the value.
 */
function urlWith(value: string, into: unknown): string {
  try {
    return typeof into === 'function' ? String(into(value)) : ''
  } catch {
    return ''
  }
}

const providerFrom = (variable: ReadVariable) =>
  object({
    name: text(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'a name of small letters, digits, dashes and _'),
    url: urlFrom(variable),
    pending: optional(oneOf(pendingModes)),
    preconfirmations: optional(oneOf(preconfirmationModes)),
  })

const token = object({
  address,
  decimals: whole(0, 36),
  currency: optional(currency),
  twinOf: optional(symbol),
  dust: optional(quantity),
  source: optional(text(/^[^\p{Cc}]{1,300}$/u, 'a line of at most 300 characters')),
})

/** Shown to payers, so it takes the same check as texts of clients. */
const displayName = text(/^.{1,40}$/su, 'a display name of at most 40 characters')
  .check(({ value, issues }) => {
    const problem = textProblem(value)
    if (problem === null) return
    issues.push({ code: 'custom', message: problem.replace(/^M(.*)\.$/, 'm$1'), input: value })
  })
  .normalize('NFC')

/** The fields of every chain. */
const commonFields = (variable: ReadVariable) => ({
  kind: optional(oneOf(['evm'])),
  name: optional(displayName),
  providers: list(providerFrom(variable), { min: 1, max: 8 }),
  accept: list(symbol, { min: 1, max: 20 }),
  tokens: optional(byName(symbol, token)),
  dust: optional(byName(symbol, quantity)),
  toleranceBps: optional(whole(0, 1_000)),
  pendingTtlSeconds: optional(whole(10, 2 * daySeconds)),
  followBelowFinality: optional(yesNo),
})

const explorer = text(/^https?:\/\/[^\s]+\{hash\}[^\s]*$/, 'an http or https URL with {hash} in it')

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]] // these keys and no others

const presetChain = (variable: ReadVariable) =>
  object({
    preset: oneOf(presetNames),
    ...commonFields(variable),
    policy: optional(object(policy)),
  })

const customChain = (variable: ReadVariable) =>
  object({
    chainId: whole(1, Number.MAX_SAFE_INTEGER),
    livemode: yesNo,
    genesisHash: optional(hash),
    native: object({
      symbol,
      decimals: optional(whole(0, 36)),
      currency: optional(currency),
    }),
    explorerTx: optional(explorer),
    blockMs: whole(50, 3_600_000),
    publicMempool: optional(yesNo),
    tags: optional(list(tag, { min: 0, max: 2 })),
    toleratedDepth: optional(whole(0, 1_000)),
    bloom: optional(oneOf(['trusted', 'untrusted'] as const)),
    multicall3: optional(address),
    ...commonFields(variable),
    policy: object({ ...policy, settled: level, final: level }),
  })

export type PresetForm = z.output<ReturnType<typeof presetChain>>
export type CustomForm = z.output<ReturnType<typeof customChain>>
export type TokenForm = z.output<typeof token>
export type ProviderForm = z.output<ReturnType<typeof providerFrom>>
export type PolicyForm = NonNullable<PresetForm['policy']>

/** The form of one chain: with a preset, or in full. */
export const chainForm = (variable: ReadVariable, written: unknown) =>
  isObject(written) && 'preset' in written ? presetChain(variable) : customChain(variable)

/** The default policy of all chains. */
export const sharedPolicy = object({ quorum: optional(whole(1, 8)) })
