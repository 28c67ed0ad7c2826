import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { parseAmountField, rescale } from '@settlewire/core/money/amount'
import type { Acceptance, Terms } from '@settlewire/core/payment/payment'
import { type Asset, chooseAssets } from './asset.ts'
import type { AssetBook } from './asset-book.ts'

/** What a merchant requests. Its format has been checked already. */
export interface PaymentRequest {
  /** A decimal string in the currency. */
  readonly amount: string
  readonly currency: string
  /** As `SYMBOL.chain`. */
  readonly accept: readonly string[]
  /** Seconds until the request expires. */
  readonly expiresIn?: number | undefined
  readonly reference?: string | null | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly redirectUrl?: string | null | undefined
  readonly confirmationPolicy?: 'default' | undefined
}

const expiresInDefaultSeconds = 1_800
const expiresInMaxSeconds = 30 * 24 * 3_600
/** How long after its expiry a request still recognises late money: one day. */
const monitorMs = 24 * 3_600_000
/** Dust is never more than this fraction of the amount, one hundredth. */
const dustPartOfAmount = 100n
const basisPoints = 10_000n

/**
 * Checks a request against the configured assets. Returns a function that makes the terms once the
 * payment has its addresses, one for each kind of chain.
 */
export function prepareTerms(
  request: PaymentRequest,
  assets: AssetBook,
  livemode: boolean,
): (addressOn: (chain: string) => string, at: Instant) => Terms {
  const { currency } = request
  const chosen = chooseAssets(assets.all, { accept: request.accept, currency, livemode })
  assets.assertOffered(chosen)
  const scales = chosen.map((asset) => asset.decimals)
  const decimals = Math.max(...scales)
  // Parsed at the coarsest scale, so that each accepted asset can pay the amount exactly.
  const coarsest = Math.min(...scales)
  const amount = rescale(parseAmountField(request.amount, coarsest), coarsest, decimals)
  const expiresIn = request.expiresIn ?? expiresInDefaultSeconds
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > expiresInMaxSeconds) {
    const detail = `Must be 1 to ${expiresInMaxSeconds} seconds.`
    throw new Failure('invalid_request', detail, { fields: [{ pointer: '/expiresIn', detail }] })
  }
  const requested = { amount, tolerance: toleranceOf(amount, chosen), currency, decimals }
  return (addressOn, at) => ({
    ...requested,
    ...patienceOf(chosen),
    accept: chosen.map((asset) => acceptanceOf(asset, requested, addressOn(asset.chain))),
    expiresAt: at + expiresIn * 1_000,
    monitorUntil: at + expiresIn * 1_000 + monitorMs,
    reference: request.reference ?? null,
    metadata: request.metadata ?? {},
    redirectUrl: request.redirectUrl ?? null,
    confirmationPolicy: request.confirmationPolicy ?? 'default',
  })
}

function acceptanceOf(
  asset: Asset,
  requested: Pick<Terms, 'amount' | 'decimals'>,
  address: string,
): Acceptance {
  const { symbol, chain, chainId, token, decimals } = asset
  // Divides without remainder: the amount was parsed at the coarsest scale of the chosen assets.
  const units = requested.amount / 10n ** BigInt(requested.decimals - decimals)
  const part = units / dustPartOfAmount
  const dust = asset.dust !== undefined && asset.dust < part ? asset.dust : part
  return {
    asset: symbol,
    chain,
    chainId,
    token,
    decimals,
    address,
    ...(asset.dust === undefined || dust === 0n ? {} : { dust }),
  }
}

/** The tolerance of the strictest asset: a payment has only one. */
function toleranceOf(amount: bigint, assets: readonly Asset[]): bigint {
  const bps = Math.min(...assets.map((asset) => asset.toleranceBps ?? 0))
  return (amount * BigInt(bps)) / basisPoints
}

/** The time-out of the slowest chain: the payment may be pending on any of them. */
function patienceOf(assets: readonly Asset[]): Pick<Terms, 'pendingTtlMs'> {
  const known = assets.flatMap((asset) => asset.pendingTtlMs ?? [])
  return known.length === 0 ? {} : { pendingTtlMs: Math.max(...known) }
}
