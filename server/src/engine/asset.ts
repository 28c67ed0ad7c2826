import { Failure } from '@settlewire/core/errors'
import type { ChainId } from '@settlewire/core/payment'

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
  const chosen = [...new Set(wanted.accept)].map((name) => {
    const asset = assets.find(
      (candidate) => candidate.livemode === wanted.livemode && assetName(candidate) === name,
    )
    if (asset === undefined) throw refuse(`${name} is not configured here.`)
    if (asset.currency !== wanted.currency) {
      throw refuse(`${name} is ${asset.currency}, the request is in ${wanted.currency}.`)
    }
    return asset
  })
  const [first, ...others] = chosen
  if (first === undefined) throw unpriced(wanted.currency)
  return [first, ...others]
}

const unpriced = (currency: string): Failure => {
  const detail = `Nothing here is priced in ${currency}: GET /v1/chains names what is.`
  return new Failure('unsupported_asset', detail, { fields: [{ pointer: '/currency', detail }] })
}

const refuse = (detail: string) =>
  new Failure('unsupported_asset', detail, { fields: [{ pointer: '/accept', detail }] })
