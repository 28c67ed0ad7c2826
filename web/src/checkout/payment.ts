import type { EventData } from '@settlewire/core/event'
import type { PaymentIntent, WireTransfer } from '@settlewire/core/wire'

/** The transfer that holds the payment back, as far as the page knows. */
export interface Progress {
  readonly txHash: string | null
  readonly chain: string | null
  readonly confirmations: number
  /** Null where the chain is asked for a finality tag, or nothing is known yet. */
  readonly required: number | null
}

/** What the page shows: the resource, moved on by events. */
export interface Shown {
  readonly payment: PaymentIntent
  readonly progress: Progress
}

const inBlock: ReadonlySet<WireTransfer['stage']> = new Set(['included', 'safe', 'final'])
const live: ReadonlySet<WireTransfer['stage']> = new Set([...inBlock, 'mempool', 'preconfirmed'])

/** The resource as it came. The furthest behind of its transfers tells how far it is. */
export function shownFrom(payment: PaymentIntent): Shown {
  const ofInterest = payment.transfers.filter((one) => live.has(one.stage))
  const behind = ofInterest.toSorted((a, b) => a.confirmations - b.confirmations)[0]
  const last = behind ?? payment.transfers.at(-1)
  return {
    payment,
    progress: {
      txHash: last?.txHash ?? null,
      chain: last?.chain ?? payment.accept[0]?.chain ?? null,
      confirmations: last?.confirmations ?? 0,
      required: last?.requiredConfirmations ?? null,
    },
  }
}

/** Moves on by one event. The stored sequence decides: what is not newer changes nothing. */
export function applyEvent({ payment, progress }: Shown, data: EventData): Shown {
  if (data.sequence <= payment.sequence) return { payment, progress }
  return {
    payment: {
      ...payment,
      sequence: data.sequence,
      status: data.status,
      reason: data.reason ?? null,
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

/** Takes a resource that was asked for later. Older ones may still be on their way, and are ignored. */
export const applyResource = (shown: Shown, payment: PaymentIntent): Shown =>
  payment.sequence < shown.payment.sequence ? shown : shownFrom(payment)

/** Whether the resource should be asked for: an event named a transaction that it does not list. */
export const lacksTransaction = ({ payment, progress }: Shown): boolean =>
  progress.txHash !== null && !payment.transfers.some((one) => one.txHash === progress.txHash)
