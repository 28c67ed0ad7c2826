import { parseAmount } from '@settlewire/core/money/amount'
import type {
  ChainConfig,
  EvmChainConfig,
  KnownToken,
  NativeCoin,
  ProviderConfig,
} from '../chain-config.ts'
import { checkTogether } from './chain-check.ts'
import {
  type CustomForm,
  chainForm,
  type PolicyForm,
  type PresetForm,
  type ProviderForm,
  type TokenForm,
} from './chain-form.ts'
import type { ChainReader } from './chain-reader.ts'
import { invalid, read } from './form.ts'
import type { Preset, PresetToken } from './preset.ts'
import { presets } from './presets.ts'

const pendingTtlDefaultMs = 4 * 3_600_000
const toleratedDepthDefault = 3

/** Reads one EVM chain, with a preset or in full. */
export const readEvmChain: ChainReader = (written, place, { name, variable, quorum }) => {
  checkTogether(written, place)
  const form = read(chainForm(variable, written), written, place)
  return form === invalid || place.isWrong ? invalid : chainOf(name, form, quorum)
}

function chainOf(
  name: string,
  form: PresetForm | CustomForm,
  sharedQuorum: number | null,
): EvmChainConfig {
  const preset = 'preset' in form ? presets[form.preset] : presetOf(form)
  const { accept } = form
  const dust = form.dust ?? new Map<string, string>()
  const written = [...(form.tokens ?? [])].map(([symbol, token]) => tokenOf(symbol, token))
  const tokens = [...preset.tokens, ...written].map((token): KnownToken => {
    const { symbol, address, decimals, source } = token
    return {
      symbol,
      decimals,
      source,
      address: address.toLowerCase(),
      currency: token.currency ?? symbol.toUpperCase(),
      accepted: accept.includes(symbol),
      twinOf: token.twinOf ?? null,
      dust: parseAmount(dust.get(symbol) ?? token.dust, decimals),
    }
  })
  const { chainId, livemode, explorerTx, blockMs, publicMempool, tags, toleratedDepth, bloom } =
    preset
  const displayName = form.name ?? ('title' in preset ? preset.title : null)
  return {
    ...(displayName !== null && { displayName }),
    name,
    kind: 'evm',
    chainId,
    livemode,
    explorerTx,
    blockMs,
    publicMempool,
    tags,
    toleratedDepth,
    bloom,
    genesisHash: preset.genesisHash,
    native: nativeOf(preset.native, accept, dust),
    multicall3: preset.multicall3?.toLowerCase() ?? null,
    tokens,
    toleranceBps: form.toleranceBps ?? 0,
    followBelowFinality: form.followBelowFinality ?? false,
    pendingTtlMs:
      form.pendingTtlSeconds === null ? pendingTtlDefaultMs : form.pendingTtlSeconds * 1_000,
    policy: policyOf(form.policy, preset, sharedQuorum ?? (livemode ? 2 : 1)),
    providers: form.providers.map((provider) => providerOf(provider, preset)),
  }
}

/** The facts of a preset, for a chain with or without one. */
type ChainFactsOfPreset = Omit<
  Preset,
  'title' | 'genesisHash' | 'genesisSource' | 'explorerTx' | 'multicall3' | 'native'
> & {
  readonly genesisHash: string | null
  readonly explorerTx: string | null
  readonly multicall3: string | null
  readonly native: Preset['native'] & { readonly currency?: string }
}

function presetOf(form: CustomForm): ChainFactsOfPreset {
  const { chainId, livemode, genesisHash, explorerTx, blockMs, multicall3, policy } = form
  const { symbol, decimals, currency } = form.native
  return {
    chainId,
    livemode,
    genesisHash,
    explorerTx,
    blockMs,
    multicall3,
    native: {
      symbol,
      decimals: decimals ?? 18,
      dust: '0',
      ...(currency === null ? {} : { currency }),
    },
    publicMempool: form.publicMempool ?? false,
    preconfirmations: 'none',
    tags: form.tags ?? [],
    toleratedDepth: form.toleratedDepth ?? toleratedDepthDefault,
    bloom: form.bloom ?? 'untrusted',
    tokens: [],
    policy: { settled: policy.settled, final: policy.final, tiers: {} },
  }
}

function tokenOf(symbol: string, token: TokenForm): PresetToken {
  const { address, decimals, currency, twinOf } = token
  return {
    symbol,
    address,
    decimals,
    dust: token.dust ?? '0',
    source: token.source ?? 'the configuration',
    ...(currency === null ? {} : { currency }),
    ...(twinOf === null ? {} : { twinOf }),
  }
}

function nativeOf(
  { symbol, decimals, currency, dust }: ChainFactsOfPreset['native'],
  accept: readonly string[],
  dustOf: ReadonlyMap<string, string>,
): NativeCoin {
  return {
    symbol,
    decimals,
    currency: currency ?? symbol.toUpperCase(),
    accepted: accept.includes(symbol),
    dust: parseAmount(dustOf.get(symbol) ?? dust, decimals),
  }
}

function policyOf(
  form: PolicyForm | null,
  { policy, native, tokens }: ChainFactsOfPreset,
  quorum: number,
): ChainConfig['policy'] {
  // Chains of one family share their tiers, but not every asset exists on each of them.
  const symbols = new Set([native, ...tokens].map(({ symbol }) => symbol))
  const presetTiers = Object.entries(policy.tiers).filter(([symbol]) => symbols.has(symbol))
  // A level in the configuration applies to every amount, so it replaces the preset's tiers.
  const tiers = {
    ...(form === null || form.settled === null ? Object.fromEntries(presetTiers) : {}),
    ...Object.fromEntries(form?.tiers ?? []),
  }
  return {
    settled: form?.settled ?? policy.settled,
    final: form?.final ?? policy.final,
    quorum: form?.quorum ?? quorum,
    ...(Object.keys(tiers).length === 0 ? {} : { tiers }),
  }
}

function providerOf(form: ProviderForm, ground: ChainFactsOfPreset): ProviderConfig {
  const { name, url } = form
  const canSubscribe = /^wss?:/i.test(url)
  return {
    name,
    url,
    pending: form.pending ?? (ground.publicMempool ? 'auto' : 'none'),
    preconfirmations: form.preconfirmations ?? (canSubscribe ? ground.preconfirmations : 'none'),
  }
}
