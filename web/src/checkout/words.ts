import { nextSteps } from '@settlewire/core/words/next-steps'
import type { StatusValues } from '@settlewire/core/words/words'

const blocks = (count: number): string => (count === 1 ? 'block' : 'blocks')

/** The texts of the checkout that are not in core's tables, except those for the connection. */
export const words = {
  unnamedMerchant: 'Payment request',
  payTo: (merchant: string) => `Pay ${merchant}`,
  paidTo: (merchant: string) => `Paid to ${merchant}`,
  pageTitle: (label: string, amount: string) => `${label} · ${amount}`,
  testMode: 'Test mode',
  testModeText: 'No real money moves here.',

  timeLeft: 'Time left',
  payBy: (time: string) => `Pay by ${time}. What you send by then counts, even if we see it later.`,
  seenAt: (time: string) => `Seen at ${time}`,
  paidAt: (time: string) => `Paid ${time}`,
  endedAt: (time: string) => `Ended ${time}`,

  stepsLabel: 'Progress of the payment',
  steps: {
    waiting: 'Waiting',
    detected: 'Detected',
    confirming: 'Confirming',
    paid: 'Paid',
    final: 'Final',
  },
  stepStates: { done: 'done', current: 'now', halted: 'stopped here', todo: 'not yet' },
  ofBlocks: (n: number, required: number) => `${n} of ${required}`,

  payWith: 'Pay with',
  qrAlt: (amount: string, asset: string, chain: string) =>
    `QR code to pay ${amount} ${asset} on ${chain}`,
  qrAddressAlt: 'QR code of the address',
  qrHolds: 'QR code holds',
  qrAddressOnly: 'Address',
  qrWithAmount: 'Wallet link with amount',
  sendExactly: 'Send exactly',
  sendMissing: 'Still to send',
  toAddress: 'To this address',
  onNetwork: 'On this network',
  onlyThis: (asset: string, chain: string, isOneOfSeveral: boolean) =>
    isOneOfSeveral
      ? `Send ${asset} on ${chain}, or choose another way above. Anything else sent to this address is not counted.`
      : `Send only ${asset} on ${chain}. Anything else sent to this address is not counted.`,
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Select it and copy by hand',
  copyWhat: { amount: 'Copy amount', address: 'Copy address', transaction: 'Copy transaction id' },
  copiedWhat: {
    amount: 'Amount copied.',
    address: 'Address copied.',
    transaction: 'Transaction id copied.',
  },
  openWallet: 'Open in wallet',
  compareRecipient: (start: string, end: string) =>
    `Before you confirm, compare the recipient in your wallet: it must be the address above, from ${start} to ${end}. If it differs, do not confirm; copy the address instead.`,

  sandboxPay: 'Pay from the sandbox wallet',
  sandboxPaying: 'Sending the transaction…',
  sandboxPaid: 'Sent. It shows here as soon as the network has it.',
  sandboxFailed: (detail: string) => `It may not have been sent. ${detail}`,

  inMempool: 'Seen by the network',
  inBlocks: (required: number) => `of ${required} ${blocks(required)}`,
  becomingFinal: 'In a block',
  aTransaction: 'A transaction',
  transactionOn: (what: string, chain: string) => `${what} on ${chain}`,
  uncounted: 'Not counted',
  unknownToken: 'An unknown token',
  inTransfers: (what: string, count: number) => `${what} in ${count} transfers`,
  movedOn: (what: string, chain: string) => `${what} came on ${chain}.`,
  moreUncounted: (count: number) => `And ${count} more that do not count.`,
  onExplorer: 'View on explorer',
  returnTo: (merchant: string) => `Return to ${merchant}`,
  returnToShop: 'Return to the shop',

  why: (required: number | null) =>
    required === null ? 'Why it takes this long' : `Why ${required} ${blocks(required)}`,

  claimAsk: "I've paid but don't see it",
  claimHint: 'Paste the transaction hash from your wallet. You are not charged again.',
  claimField: 'Transaction hash',
  claimSend: 'Look for it',
  claimSending: 'Looking for it…',
  claimBad: 'A transaction hash is 0x and 64 letters and digits. Copy it from your wallet.',
  claimFailed: (detail: string) => `Not accepted. ${detail}`,

  received: 'Received',
  watchedUntil: 'Watched until',
  reference: 'Payment id',
  details: 'Details',
  token: 'Token contract',
  chainId: 'Chain id',
  created: 'Created',

  aNetwork: 'a network of this payment',
  blind: (chain: string) =>
    `We cannot see ${chain} right now; your payment is safe, it will be found.`,
  blindAfterSeen: (chain: string) =>
    `We cannot see ${chain} right now; the final state shows here later.`,
  degraded: (chain: string) => `We see ${chain} later than usual.`,
  lastBlock: (ago: string) => `Last block read ${ago} ago.`,
  broken: 'Reload this page, or go back to the shop. What you sent is not lost.',
} as const

/** The words for the connection. Each is true when it is shown, including the time. */
export const connectionWords = {
  labels: {
    connecting: 'Connecting…',
    current: 'Live',
    unseen: 'Connected',
    longPoll: 'Live by long-poll',
    poll: 'Updated every few seconds',
    catchingUp: 'Checking for news…',
    lost: 'Connection lost',
    offline: 'Offline',
    asOf: (time: string) => `As of ${time}`,
    ended: 'Not connected',
  },
  warnings: {
    lost: (time: string) => `Connection lost – what you see is from ${time}. Retrying…`,
    offline: (time: string) =>
      `You are offline – what you see is from ${time}. It goes on by itself.`,
    refused: (time: string) =>
      `This page may no longer follow the payment – what you see is from ${time}. Reload it.`,
  },
} as const

/** What to do now, for a payment that has stopped or whose time is up. */
export const nextStepsOf = (
  payment: Pick<StatusValues, 'status' | 'reason' | 'flags'>,
): readonly string[] => nextSteps(payment, 'Go back to the shop and start a new payment.')
