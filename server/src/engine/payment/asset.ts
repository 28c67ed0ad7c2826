import { Failure } from '@settlewire/core/errors'
import type { ChainId } from '@settlewire/core/payment/payment'

/** Something that can be paid with, from our registry. What a chain says of itself is never believed. */
export interface Asset {
  /** `USDC`. With the chain it names the asset: `USDC.polygon`. */
  readonly symbol: string
  /** What a request is priced in to be payable with it. */
  readonly currency: string
  readonly chain: string
  readonly chainId: ChainId
  /** The token as its chain's kind stores addresses, or null for the native coin. */
  readonly token: string | null
  readonly decimals: number
  /** A test asset never pays a live request, nor the other way round. */
  readonly livemode: boolean
  /** Transfers of less, in the smallest unit, do not count. Left out: none is too small. */
  readonly dust?: bigint
  /** May be missing without harm, in hundredths of a percent. Left out: nothing may. */
  readonly toleranceBps?: number
  /** So long may a transaction be pending before it is asked whether it is gone. Left out: 4 hours. */
  readonly pendingTtlMs?: number
}

/** How requests name an asset. */
export const assetName = (asset: Asset): string => `${asset.symbol}.${asset.chain}`

/** The assets a request names, each once. Throws `unsupported_asset` unless all can pay its currency. */
export function chooseAssets(
  assets: readonly Asset[],
  wanted: { accept: readonly string[]; currency: string; livemode: boolean },
): readonly [Asset, ...Asset[]] {
  const candidates = assets.filter(({ livemode }) => livemode === wanted.livemode)
  const chosen = [...new Set(wanted.accept)].map((name) => {
    const asset = candidates.find((candidate) => assetName(candidate) === name)
    if (asset === undefined) {
      throw refuse(`${name} is not configured here. ${listed(candidates.map(assetName))}`)
    }
    if (asset.currency !== wanted.currency) {
      throw refuse(`${name} is ${asset.currency}, the request is in ${wanted.currency}.`)
    }
    return asset
  })
  const [first, ...others] = chosen
  if (first === undefined) throw unpriced(wanted, candidates)
  return [first, ...others]
}

function unpriced(
  { currency }: { readonly currency: string },
  candidates: readonly Asset[],
): Failure {
  const currencies = [...new Set(candidates.map((asset) => asset.currency))]
  const detail = `Nothing here is priced in ${currency}. ${listed(currencies)}`
  return new Failure('unsupported_asset', detail, { fields: [{ pointer: '/currency', detail }] })
}

const listedMax = 12

/** What there is to choose from, in the mode of the key. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'Nothing is configured for keys of this mode.'
  const rest =
    names.length > listedMax ? ` and ${names.length - listedMax} more (GET /v1/chains)` : ''
  return `There is: ${names.slice(0, listedMax).join(', ')}${rest}.`
}

const refuse = (detail: string) =>
  new Failure('unsupported_asset', detail, { fields: [{ pointer: '/accept', detail }] })
