import { Failure } from '@settlewire/core/errors'
import type { ChainId } from '@settlewire/core/payment/payment'

/** An asset of our registry. A token's own statements about itself on chain are never trusted. */
export interface Asset {
  /** `USDC`. With the chain it names the asset: `USDC.polygon`. */
  readonly symbol: string
  /** The currency of requests that can be paid with it. */
  readonly currency: string
  readonly chain: string
  readonly chainId: ChainId
  /** The token as its chain's kind stores addresses, or null for the native coin. */
  readonly token: string | null
  readonly decimals: number
  /** A test asset never pays a live request, and a live asset never pays a test request. */
  readonly livemode: boolean
  /** Smaller transfers, in the smallest unit, do not count. Left out: every transfer counts. */
  readonly dust?: bigint
  /** How much of the amount may be missing, in hundredths of a percent. Left out: nothing. */
  readonly toleranceBps?: number
  /** How long a transaction may be pending before it is checked for a drop. Left out: 4 hours. */
  readonly pendingTtlMs?: number
}

/** How requests name an asset. */
export const assetName = (asset: Asset): string => `${asset.symbol}.${asset.chain}`

/**
 * The assets that a request names, without duplicates. Throws `unsupported_asset` for an unknown
 * asset, for one of another currency, or if the request names none.
 */
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
  const detail = `No asset is priced in ${currency}. ${listed(currencies)}`
  return new Failure('unsupported_asset', detail, { fields: [{ pointer: '/currency', detail }] })
}

const listedMax = 12

/** The end of the message: what the request could name instead, in the mode of the key. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'No asset is configured for keys of this mode.'
  const rest =
    names.length > listedMax ? ` and ${names.length - listedMax} more (GET /v1/chains)` : ''
  return `Available: ${names.slice(0, listedMax).join(', ')}${rest}.`
}

const refuse = (detail: string) =>
  new Failure('unsupported_asset', detail, { fields: [{ pointer: '/accept', detail }] })
