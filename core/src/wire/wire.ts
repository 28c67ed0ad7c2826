import { type Instant, toRfc3339, toRfc3339OrNull } from '../instant.ts'
import { printAmount } from '../money/amount.ts'
import type { EventData } from '../payment/event.ts'
import type { ResolutionAction } from '../payment/observation.ts'
import type {
  Acceptance,
  ChainId,
  IgnoreReason,
  Payment,
  Stage,
  Transfer,
} from '../payment/payment.ts'
import type { Policy } from '../payment/policy.ts'
import { deadlineOf } from '../payment/resolution.ts'
import type { EventType, Finality, Flag, Status } from '../payment/status-model.ts'
import { publicTxHash } from '../payment/transaction.ts'
import { isMereClaim, transfersOf } from '../payment/transfer.ts'

/** An event's name on the wire. */
export type WireType = `payment_intent.${EventType}`

/** The full name of an event type, as clients see it. */
export const wireType = (type: EventType): WireType => `payment_intent.${type}`

/** The bytes of `data`: encoded once, when the event is stored, and the same on every transport. */
export const encodeData = (data: EventData): string => JSON.stringify(data)

/** The envelope of the event lists, with the stored bytes of `data` inside. */
export function envelope(event: {
  id: string
  /** The full name, as on the wire. */
  type: string
  at: Instant
  livemode: boolean
  dataJson: string
}): string {
  const head = JSON.stringify({
    id: event.id,
    type: event.type,
    createdAt: toRfc3339(event.at),
    livemode: event.livemode,
  })
  return `${head.slice(0, -1)},"data":${event.dataJson}}`
}

/** One way to pay, as a wallet needs it. */
export interface WireAcceptance {
  readonly asset: string
  readonly chain: string
  readonly chainId: ChainId
  readonly token: string | null
  readonly decimals: number
  readonly address: string
  /** The link that a wallet opens; null where the kind of chain has no payment links. */
  readonly uri: string | null
}

/** One movement of money. Only merchants get `from`. */
export interface WireTransfer {
  /**
   * Null when a block added native coin without a single transaction to name, and for the sum of
   * many transfers.
   */
  readonly txHash: string | null
  readonly chain: string
  readonly chainId: ChainId | null
  /**
   * Null for a token that this installation does not know, and for a claim that no node has shown.
   * `chainId` and `decimals` are null in the same cases.
   */
  readonly asset: string | null
  /** The part that counts, in the payment's currency; `0` for an asset that is not accepted. */
  readonly amount: string
  /** The amount that moved, in the token's smallest unit. */
  readonly units?: string
  /** The decimal places of `units`; null if `asset` is null. */
  readonly decimals?: number | null
  readonly stage: Stage
  /** Why it does not count; null unless the stage is `ignored`. */
  readonly ignored?: IgnoreReason | null
  readonly blockNumber: number | null
  readonly blockHash: string | null
  readonly confirmations: number
  readonly requiredConfirmations: number | null
  readonly explorerUrl: string | null
  readonly from?: string
  /** The number of transfers; only on a sum of many small transfers of one block. */
  readonly count?: number
}

/** A decision of a person about a payment. */
export interface WireResolution {
  readonly action: ResolutionAction
  readonly reason: string
  readonly actor: string
  readonly at: string
}

/** The resource that `GET /v1/payment-intents/{id}` returns. */
export interface PaymentIntent {
  readonly id: string
  readonly object: 'payment_intent'
  readonly livemode: boolean
  readonly transactionId?: string
  readonly sequence: number
  readonly status: Status
  readonly reason: string | null
  readonly flags: readonly Flag[]
  readonly finality: Finality
  readonly visibility: 'ok' | 'degraded' | 'blind'
  readonly amount: string
  readonly currency: string
  readonly amountReceived: string
  readonly amountPending: string
  readonly accept: readonly WireAcceptance[]
  readonly transfers: readonly WireTransfer[]
  readonly reference?: string | null
  readonly metadata?: Readonly<Record<string, string>>
  readonly redirectUrl: string | null
  readonly createdAt: string
  readonly expiresAt: string
  readonly monitorUntil: string
  readonly detectedAt: string | null
  readonly settledAt: string | null
  /** Oldest first. For the merchant only. */
  readonly resolutions?: readonly WireResolution[]
  readonly checkoutUrl?: string
  readonly clientSecret?: string
}

/** An asset as the registry names it. A symbol read from a chain is never trusted. */
export interface KnownAsset {
  readonly asset: string
  readonly chainId: ChainId
  readonly decimals: number
}

/** What the server adds to the payment when it shows it. */
export interface ResourceContext {
  readonly policy: Policy
  readonly visibility: PaymentIntent['visibility']
  /** The address in the form that people read. */
  readonly formatAddress: (chain: string, address: string) => string
  /**
   * A link that wallets open, with the amount in the asset's smallest unit; null if none exists.
   */
  readonly paymentUri: (accept: Acceptance, units: bigint) => string | null
  readonly explorerUrl: (chain: string, txHash: string) => string | null
  /**
   * An asset of the registry, accepted or not; null as token: the native coin. Left out: none is
   * known.
   */
  readonly knownAsset?: (chain: string, token: string | null) => KnownAsset | null
  /**
   * Null for browsers, which see neither secrets nor payers' addresses nor the merchant's notes.
   */
  readonly merchant: { readonly checkoutUrl: string; readonly clientSecret: string } | null
}

/** The resource: for its merchant, or for the browser with its client secret. */
export function resource(payment: Payment, context: ResourceContext): PaymentIntent {
  const { terms } = payment
  const print = (amount: bigint) => printAmount(amount, terms.decimals)
  const { merchant } = context
  return {
    id: payment.id,
    object: 'payment_intent',
    livemode: payment.livemode,
    ...(merchant && { transactionId: payment.transactionId }),
    sequence: payment.sequence,
    status: payment.status,
    reason: payment.reason,
    flags: payment.flags,
    finality: payment.finality,
    visibility: context.visibility,
    amount: print(terms.amount),
    currency: terms.currency,
    amountReceived: print(payment.received),
    amountPending: print(payment.pending),
    accept: terms.accept.map((accept) => wireAcceptance(accept, payment, context)),
    transfers: transfersOf(payment, context.policy).map((transfer) =>
      wireTransfer(transfer, print, context),
    ),
    ...(merchant && { reference: terms.reference, metadata: terms.metadata }),
    redirectUrl: terms.redirectUrl,
    createdAt: toRfc3339(payment.createdAt),
    expiresAt: toRfc3339(deadlineOf(payment)),
    monitorUntil: toRfc3339(terms.monitorUntil),
    detectedAt: toRfc3339OrNull(payment.detectedAt),
    settledAt: toRfc3339OrNull(payment.settledAt),
    ...(merchant && { resolutions: wireResolutions(payment) }),
    ...merchant,
  }
}

function wireAcceptance(
  accept: Acceptance,
  { terms }: Payment,
  { formatAddress, paymentUri }: ResourceContext,
): WireAcceptance {
  const { asset, chain, chainId, decimals } = accept
  const address = formatAddress(chain, accept.address)
  const token = accept.token === null ? null : formatAddress(chain, accept.token)
  // The token's own scale is never finer than the payment's, and the amount was parsed at the
  // coarsest.
  const units = terms.amount / 10n ** BigInt(terms.decimals - decimals)
  const uri = paymentUri(accept, units)
  return { asset, chain, chainId, token, decimals, address, uri }
}

function wireTransfer(
  transfer: Transfer,
  print: (amount: bigint) => string,
  { explorerUrl, knownAsset, merchant }: ResourceContext,
): WireTransfer {
  const { chain, accept, stage, block, units, ignored, from } = transfer
  const txHash = publicTxHash(transfer.txHash)
  // An unseen claim moves nothing, and its empty token does not mean native coin.
  const asset = isMereClaim(transfer)
    ? null
    : (accept ?? knownAsset?.(chain, transfer.token) ?? null)
  return {
    txHash,
    chain,
    chainId: asset?.chainId ?? null,
    asset: asset?.asset ?? null,
    amount: print(transfer.amount),
    units: String(units),
    decimals: asset?.decimals ?? null,
    stage,
    ignored,
    blockNumber: block?.number ?? null,
    blockHash: block?.hash ?? null,
    confirmations: transfer.confirmations,
    requiredConfirmations: transfer.requiredConfirmations,
    explorerUrl: txHash === null ? null : explorerUrl(chain, txHash),
    ...(merchant && from !== '' && { from }),
    ...(transfer.count !== undefined && { count: transfer.count }),
  }
}

const wireResolutions = ({ facts }: Payment): readonly WireResolution[] =>
  (facts.resolutions ?? []).map(({ action, reason, actor, at }) => ({
    ...{ action, reason, actor },
    at: toRfc3339(at),
  }))
