import { flagTable } from './flag-words.ts'
import { describeReason } from './reason-words.ts'
import { type Flag, flags, type Status } from './status-model.ts'

/** How a status should look and feel, wherever it is shown. */
export type Tone = 'waiting' | 'moving' | 'done' | 'over' | 'unclear'

/** What sentences may name. Amounts are decimal strings, times are in the reader's own form. */
export interface Told {
  readonly status: Status
  readonly reason: string | null
  readonly flags: readonly Flag[]
  readonly currency: string
  readonly amount: string
  /** In blocks. */
  readonly received: string
  /** In blocks and in the mempool together. */
  readonly seen: string
  readonly missing: string
  readonly confirmations: number
  /** Null where the chain is asked for a finality tag instead. */
  readonly requiredConfirmations: number | null
  readonly aboutSeconds: number | null
  /** Null once the watch has ended. */
  readonly watchedUntil: string | null
  /** Whether news would show at once: the reader is connected, and the chains can be seen. */
  readonly isLive: boolean
  /** The time to pay is over, and it is not yet known whether anything was sent within it. */
  readonly isTimeUp: boolean
}

/** What the payer is told, by status. Every sentence is true whenever it is shown. */
export interface StatusWords {
  readonly tone: Tone
  /** Two or three words, for lists and titles of windows. */
  readonly label: string
  readonly title: (told: Told) => string
  readonly text: (told: Told) => string
}

/** The payer's words for every status. */
export const statusWords: Readonly<Record<Status, StatusWords>> = {
  awaiting: {
    tone: 'waiting',
    label: 'Waiting',
    title: (told) => {
      if (told.isTimeUp) return 'Time is up.'
      return told.flags.includes('underpaid') ? partly(told) : 'Waiting for your payment.'
    },
    text: (told) => {
      const { missing, currency, isLive } = told
      if (told.isTimeUp) return lastLook
      if (told.reason !== null) return wayBackFrom(told.reason)
      if (told.flags.includes('underpaid')) {
        return `Send the missing ${missing} ${currency} to the same address.`
      }
      return isLive ? 'This page shows it the moment you send it.' : showsLater
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
    text: ({ isTimeUp }) =>
      isTimeUp ? lastLook : 'Check your wallet, then pay again, perhaps with a higher fee.',
  },
  confirming: {
    tone: 'moving',
    label: 'Confirming',
    title: ({ confirmations, requiredConfirmations, aboutSeconds }) => {
      if (requiredConfirmations === null) return 'Confirmed, becoming final.'
      const about = aboutSeconds === null ? '' : `, about ${aboutSeconds} s`
      return `Confirmed ${confirmations} of ${requiredConfirmations}${about}.`
    },
    text: () => 'Do not pay again. It is in a block; a few more make it certain.',
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
    text: (told) => {
      const arrived = told.flags.includes('underpaid')
        ? `${partly(told)} Ask the merchant to accept it, to wait for the rest, or to refund it. `
        : ''
      if (told.watchedUntil === null) return `${arrived}Do not pay it any more. ${askMerchant}`
      return `${arrived}If you already sent, keep this page: we still watch until ${told.watchedUntil}.`
    },
  },
  cancelled: {
    tone: 'over',
    label: 'Cancelled',
    title: () => 'Do not pay this request.',
    text: () => `The merchant has withdrawn it. ${askMerchant}`,
  },
  failed: {
    tone: 'over',
    label: 'Failed',
    title: () => 'This payment failed.',
    text: ({ reason }) => `${reasonInWords(reason)} ${askMerchant}`,
  },
  investigation_required: {
    tone: 'unclear',
    label: 'Being checked',
    title: () => 'We are checking.',
    text: ({ reason }) => `No need to pay again. ${reasonInWords(reason)}`,
  },
}

/** What became of the earlier transaction, and what that means for the next one. */
function wayBackFrom(reason: string): string {
  const lookFirst = 'Look at your wallet before you pay again.'
  if (reason === 'replaced_elsewhere')
    return `${reasonInWords(reason)} You were not charged by it. ${lookFirst}`
  // It may be mined again: who hears that it is over pays twice.
  if (['transaction_dropped', 'transaction_reorged', 'transaction_denied'].includes(reason))
    return `${reasonInWords(reason)} It may still arrive. ${lookFirst}`
  return `Your earlier transaction did not go through; you were not charged by it. ${lookFirst}`
}

const lastLook =
  'If you already sent, wait here: we look at the network once more. If not, do not send now.'

const showsLater = 'What you send is not lost; it can show here later than usual.'

const askMerchant = 'If you already sent money, contact the merchant.'

const partly = ({ received, seen, amount, missing }: Told): string =>
  received === seen
    ? `${received} of ${amount} arrived; ${missing} missing.`
    : `${seen} of ${amount} seen; ${missing} missing.`

/** The payer's words for every flag: said beside the status. Null: nothing that a payer can use. */
export const flagWords: Readonly<Record<Flag, string | null>> = Object.fromEntries(
  flags.map((flag) => [flag, flagTable[flag].payer]),
) as Record<Flag, string | null> // every flag has a row

/** A code that has no words says only that there is one. */
const reasonInWords = (reason: string | null): string =>
  describeReason(reason)?.payer ?? 'The merchant knows the reason.'

/** How the chains of the registry are called, and how often they make a block. */
const chainWords: Readonly<Record<string, { name: string; blockMs: number }>> = {
  ethereum: { name: 'Ethereum', blockMs: 12_000 },
  polygon: { name: 'Polygon', blockMs: 2_000 },
  base: { name: 'Base', blockMs: 2_000 },
  optimism: { name: 'OP Mainnet', blockMs: 2_000 },
  arbitrum: { name: 'Arbitrum One', blockMs: 250 },
  sepolia: { name: 'Sepolia', blockMs: 12_000 },
  'base-sepolia': { name: 'Base Sepolia', blockMs: 2_000 },
  'optimism-sepolia': { name: 'OP Sepolia', blockMs: 2_000 },
  'arbitrum-sepolia': { name: 'Arbitrum Sepolia', blockMs: 250 },
  'polygon-amoy': { name: 'Polygon Amoy', blockMs: 2_000 },
  local: { name: 'Local test chain', blockMs: 2_000 },
}

/** A chain's name for people; one that we do not know keeps the name it is configured under. */
export const chainName = (chain: string): string => chainWords[chain]?.name ?? chain

/** How long so many more blocks take, about; null where nobody can say. */
export function aboutSeconds(chain: string | null, blocks: number | null): number | null {
  const blockMs = chainWords[chain ?? '']?.blockMs
  // None left: it waits for something else, and nobody can say how long.
  if (blockMs === undefined || blocks === null || blocks <= 0) return null
  return Math.ceil((blocks * blockMs) / 1000)
}
