import type { EventData } from '@settlewire/core/payment/event'
import type { PaymentIntent, WireTransfer } from '@settlewire/core/wire/wire'

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
  /** How the server calls its chains. */
  readonly chainNames: ChainNames
}

export type ChainNames = Readonly<Record<string, string>>

/** A chain's name for people; one that the server follows no more keeps the name of its assets. */
export const nameOf = ({ chainNames }: Pick<Shown, 'chainNames'>, chain: string): string =>
  chainNames[chain] ?? chain

const inBlock: ReadonlySet<WireTransfer['stage']> = new Set(['included', 'safe', 'final'])
const live: ReadonlySet<WireTransfer['stage']> = new Set([...inBlock, 'mempool', 'preconfirmed'])

/** The resource as it came. The furthest behind of its transfers tells how far it is. */
export function shownFrom(payment: PaymentIntent, chainNames: ChainNames = {}): Shown {
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

/** Moves on by one event. The stored sequence decides: what is not newer changes nothing. */
export function applyEvent(shown: Shown, data: EventData): Shown {
  const { payment, progress, chainNames } = shown
  if (data.sequence <= payment.sequence) return shown
  return {
    chainNames,
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
  payment.sequence < shown.payment.sequence ? shown : shownFrom(payment, shown.chainNames)

/**
 * Whether the list of transactions may have changed with an event, so that the resource must be read
 * again. One more confirmation of the same transaction changes nothing in it.
 */
export function hasMoved({ payment, progress }: Shown, data: EventData): boolean {
  if (data.sequence <= payment.sequence) return false
  const isSame =
    data.sequence === payment.sequence + 1 &&
    data.status === payment.status &&
    data.finality === payment.finality &&
    (data.reason ?? null) === payment.reason &&
    data.receivedAmount === payment.amountReceived &&
    data.pendingAmount === payment.amountPending &&
    data.txHash === progress.txHash &&
    data.confirmations > progress.confirmations &&
    data.flags.join() === payment.flags.join()
  return !isSame
}
