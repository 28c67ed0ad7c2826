import { parseAmount, rescale } from '@settlewire/core/amount'
import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Terms } from '@settlewire/core/payment'
import { type Asset, chooseAssets } from './asset.ts'

/** What a merchant asks for, its form already checked. */
export interface PaymentRequest {
  /** A decimal string in the currency. */
  readonly amount: string
  readonly currency: string
  /** As `SYMBOL.chain`. */
  readonly accept: readonly string[]
  /** Seconds until it expires. */
  readonly expiresIn?: number | undefined
  readonly reference?: string | null | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly redirectUrl?: string | null | undefined
  readonly confirmationPolicy?: 'default' | undefined
}

const expiresInDefaultSeconds = 1_800
const expiresInMaxSeconds = 30 * 24 * 3_600
/** Late money is recognised for a day after the request has expired. */
const monitorMs = 24 * 3_600_000

/**
 * Checks a request against what can be paid here. The answer sets the terms once the payment has
 * its address: one address serves every EVM chain.
 */
export function prepareTerms(
  request: PaymentRequest,
  assets: readonly Asset[],
  livemode: boolean,
): (address: string, at: Instant) => Terms {
  const { currency } = request
  const chosen = chooseAssets(assets, { accept: request.accept, currency, livemode })
  const scales = chosen.map((asset) => asset.decimals)
  const decimals = Math.max(...scales)
  const amount = exactAmount(request.amount, Math.min(...scales), decimals)
  const expiresIn = request.expiresIn ?? expiresInDefaultSeconds
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > expiresInMaxSeconds) {
    throw misfit('invalid_request', '/expiresIn', `From 1 to ${expiresInMaxSeconds} seconds.`)
  }
  return (address, at) => ({
    ...{ amount, tolerance: 0n, currency, decimals },
    accept: chosen.map(({ symbol, chain, chainId, token, decimals }) => ({
      ...{ asset: symbol, chain, chainId, token, decimals, address },
    })),
    expiresAt: at + expiresIn * 1_000,
    monitorUntil: at + expiresIn * 1_000 + monitorMs,
    reference: request.reference ?? null,
    metadata: request.metadata ?? {},
    redirectUrl: request.redirectUrl ?? null,
    confirmationPolicy: request.confirmationPolicy ?? 'default',
  })
}

/** Read at the coarsest scale, so that each of the accepted assets can pay it to the last unit. */
function exactAmount(text: string, coarsest: number, finest: number): bigint {
  const amount = rescale(parseAmount(text, coarsest), coarsest, finest)
  if (amount <= 0n) throw misfit('invalid_amount', '/amount', 'Ask for more than nothing.')
  return amount
}

const misfit = (code: 'invalid_request' | 'invalid_amount', pointer: string, detail: string) =>
  new Failure(code, detail, { fields: [{ pointer, detail }] })
