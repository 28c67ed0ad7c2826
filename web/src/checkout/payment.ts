import type { EventData } from '@settlewire/core/payment/event'
import type { PaymentIntent, WireTransfer } from '@settlewire/core/wire/wire'

/** The transfer that delays the payment, as far as the page knows. */
export interface PaymentProgress {
  readonly txHash: string | null
  readonly chain: string | null
  readonly confirmations: number
  /** Null if the chain's level is a finality tag, or while it is unknown. */
  readonly required: number | null
}

/** What the page shows: the resource, updated by events. */
export interface ShownPayment {
  readonly payment: PaymentIntent
  readonly progress: PaymentProgress
  /** The server's names of its chains. */
  readonly chainNames: ChainNames
}

export type ChainNames = Readonly<Record<string, string>>

/**
 * A chain's name for people; a chain that the server no longer follows keeps its configured name.
 */
export const chainNameOf = (
  { chainNames }: Pick<ShownPayment, 'chainNames'>,
  chain: string,
): string => chainNames[chain] ?? chain

const inBlock: ReadonlySet<WireTransfer['stage']> = new Set(['included', 'safe', 'final'])
const live: ReadonlySet<WireTransfer['stage']> = new Set([...inBlock, 'mempool', 'preconfirmed'])

/**
 * The state from a resource. The progress is that of the transfer that is furthest behind, of those
 * that are expected or in a block; without any, that of the last transfer.
 */
export function shownFrom(payment: PaymentIntent, chainNames: ChainNames = {}): ShownPayment {
  const ofInterest = payment.transfers.filter((one) => live.has(one.stage))
  const [behind] = ofInterest.sort((a, b) => a.confirmations - b.confirmations)
  const last = behind ?? payment.transfers[payment.transfers.length - 1]
  return {
    payment,
    chainNames,
    progress: {
      txHash: last?.txHash ?? null,
      chain: last?.chain ?? payment.accept[0]?.chain ?? null,
      confirmations: last?.confirmations ?? 0,
      required: last?.requiredConfirmations ?? null,
    },
  }
}

/** Applies one event. An event that is not newer than the stored sequence changes nothing. */
export function applyEvent(shown: ShownPayment, data: EventData): ShownPayment {
  const { payment, progress, chainNames } = shown
  if (data.sequence <= payment.sequence) return shown
  return {
    chainNames,
    payment: {
      ...payment,
      sequence: data.sequence,
      status: data.status,
      // The reason on `replaced` is about the replacement: the payment's own comes with the resource.
      reason: data.replacedTxHash ? null : (data.reason ?? null),
      flags: data.flags,
      finality: data.finality,
      amountReceived: data.receivedAmount,
      amountPending: data.pendingAmount,
      detectedAt: data.detectedAt,
      settledAt: data.settledAt,
    },
    progress: {
      txHash: data.txHash ?? progress.txHash,
      chain: data.chain ?? progress.chain,
      confirmations: data.confirmations,
      required: data.requiredConfirmations ?? progress.required,
    },
  }
}

/** Applies a resource, unless a newer event or resource has arrived meanwhile. */
export const applyResource = (shown: ShownPayment, payment: PaymentIntent): ShownPayment =>
  payment.sequence < shown.payment.sequence ? shown : shownFrom(payment, shown.chainNames)
