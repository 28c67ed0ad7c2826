import type { Flag, Status } from '../payment/status-model.ts'
import { reasonInWords } from './reason-words.ts'

/** How a status should look, wherever it is shown. */
export type Tone = 'waiting' | 'moving' | 'done' | 'over' | 'unclear'

/**
 * The values that sentences may use. Amounts are decimal strings, times are in the reader's format.
 */
export interface StatusValues {
  readonly status: Status
  readonly reason: string | null
  readonly flags: readonly Flag[]
  readonly currency: string
  readonly amount: string
  /** The amount in blocks. */
  readonly received: string
  /** The amount in blocks and in the mempool together. */
  readonly seen: string
  readonly missing: string
  readonly confirmations: number
  /** Null if the chain's level is a finality tag, or while it is unknown. */
  readonly requiredConfirmations: number | null
  /** The estimated time until it settles; null if it cannot be estimated. */
  readonly aboutSeconds: number | null
  /** Null after the end of the watch. */
  readonly watchedUntil: string | null
  /** Whether changes would show at once: the page is connected, and every chain is fully seen. */
  readonly isLive: boolean
  /** The time to pay is over, but it is not yet known whether a payment was sent in time. */
  readonly isTimeUp: boolean
}

/** The payer's words for a status. Every sentence is true whenever it is shown. */
export interface StatusWords {
  readonly tone: Tone
  /** One or two words, for lists and window titles. */
  readonly label: string
  readonly title: (values: StatusValues) => string
  readonly text: (values: StatusValues) => string
}

/** The payer's words for every status. */
export const statusWords: Readonly<Record<Status, StatusWords>> = {
  awaiting: {
    tone: 'waiting',
    label: 'Waiting',
    title: (values) => {
      if (values.isTimeUp) return 'Time is up.'
      return values.flags.includes('underpaid') ? partly(values) : 'Waiting for your payment.'
    },
    text: (values) => {
      const { missing, currency, isLive } = values
      const part = values.flags.includes('underpaid') ? `${partly(values)} ` : ''
      if (values.isTimeUp && !mayStillArrive(values)) return part + lastLook
      if (values.reason !== null) return wayBackFrom(values.reason, values.isTimeUp)
      if (part !== '') {
        return `Send ${missing} ${currency} more to the same address.`
      }
      return isLive ? 'Your payment appears here as soon as you send it.' : showsLater
    },
  },
  pending_detected: {
    tone: 'moving',
    label: 'Detected',
    title: () => 'Payment detected, confirming.',
    text: () => 'Do not pay again. The network has seen it; it counts once it is in a block.',
  },
  pending_expired: {
    tone: 'unclear',
    label: 'Not confirmed',
    title: () => 'Your transaction was not confirmed.',
    text: ({ isTimeUp }) => stillOpen(isTimeUp),
  },
  confirming: {
    tone: 'moving',
    label: 'Confirming',
    title: ({ confirmations, requiredConfirmations, aboutSeconds }) => {
      if (requiredConfirmations === null) return 'Confirmed, becoming final.'
      const about = aboutSeconds === null ? '' : `, about ${aboutSeconds} s`
      return `Confirmed ${confirmations} of ${requiredConfirmations}${about}.`
    },
    text: () => 'Do not pay again. It is in a block; it counts once it is certain.',
  },
  succeeded: {
    tone: 'done',
    label: 'Paid',
    title: () => 'Paid.',
    text: ({ received, currency }) => `${received} ${currency} arrived.`,
  },
  expired: {
    tone: 'over',
    label: 'Ended',
    title: () => 'This request has ended.',
    text: (values) => {
      const arrived = values.flags.includes('underpaid')
        ? `${partly(values)} Ask the merchant to accept it, to wait for the rest, or to refund it. `
        : ''
      if (values.watchedUntil === null) {
        return `${arrived || `${askMerchant} `}Do not pay it any more.`
      }
      return `${arrived}If you already sent it all, keep this page: until ${values.watchedUntil} the full amount still counts as paid.`
    },
  },
  cancelled: {
    tone: 'over',
    label: 'Cancelled',
    title: () => 'This payment was cancelled.',
    text: () => `Do not send money to its address. ${askMerchant}`,
  },
  failed: {
    tone: 'over',
    label: 'Failed',
    title: () => 'This payment failed.',
    text: ({ reason }) => `${inWords(reason)} ${askMerchant}`,
  },
  investigation_required: {
    tone: 'unclear',
    label: 'Being checked',
    title: () => 'We are checking.',
    text: ({ reason }) => `No need to pay again. ${inWords(reason)}`,
  },
}

/** Reasons for which a transaction no longer counts, although a block may still include it. */
const mayBeMinedAgain = /^transaction_(dropped|reorged|denied)$/

/** Whether a transaction that the payer has sent may still arrive, although none counts now. */
export const mayStillArrive = ({
  status,
  reason,
}: Pick<StatusValues, 'status' | 'reason'>): boolean =>
  status === 'pending_expired' || (status === 'awaiting' && mayBeMinedAgain.test(reason ?? ''))

/** What happened to the earlier transaction, and what to do before the next one. */
function wayBackFrom(reason: string, isTimeUp: boolean): string {
  const lookFirst = 'Look at your wallet before you pay again.'
  if (reason === 'replaced_elsewhere')
    return `${inWords(reason)} Nothing arrived here. ${lookFirst}`
  // If we said that it is lost, the payer would pay twice.
  if (mayBeMinedAgain.test(reason)) return `${inWords(reason)} ${stillOpen(isTimeUp)}`
  return `Your earlier transaction did not go through: it moved no money. ${lookFirst}`
}

/** For a transaction that was sent and does not count now. */
const stillOpen = (isTimeUp: boolean): string =>
  `It may still arrive. Speed it up or cancel it in your wallet first; ${
    isTimeUp ? 'do not send now' : 'pay again only when it is cancelled'
  }.`

const lastLook =
  'If you already sent, wait here: we look at the network once more. If not, do not send now.'

const showsLater = 'What you send is not lost; it can show here later than usual.'

const askMerchant = 'If you already sent money, contact the merchant.'

const partly = ({ received, seen, amount, missing }: StatusValues): string =>
  received === seen
    ? `${received} of ${amount} arrived; ${missing} missing.`
    : `${seen} of ${amount} seen; ${missing} missing.`

/** For a code without words of its own. */
const inWords = (reason: string | null): string =>
  reasonInWords(reason) ?? 'The merchant knows the reason.'

/** Names of the chains of the registry. */
const chainNames: Readonly<Record<string, string>> = {
  ethereum: 'Ethereum',
  polygon: 'Polygon',
  base: 'Base',
  optimism: 'OP Mainnet',
  arbitrum: 'Arbitrum One',
  sepolia: 'Sepolia',
  'base-sepolia': 'Base Sepolia',
  'optimism-sepolia': 'OP Sepolia',
  'arbitrum-sepolia': 'Arbitrum Sepolia',
  'polygon-amoy': 'Polygon Amoy',
  local: 'Local test chain',
}

/** A chain's name for people; an unknown chain keeps its configured name. */
export const chainName = (chain: string): string => chainNames[chain] ?? chain
