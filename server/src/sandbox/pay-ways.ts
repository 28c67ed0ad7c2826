import { payerContract } from './prepare-chain.ts'
import { word } from './rpc.ts'
import { tokenCall } from './token.ts'

/** The ways to send money. */
export const payWays = ['transfer', 'transfer_from', 'contract', 'batch', 'reverting'] as const
export type PayWay = (typeof payWays)[number]

/** The money to send. */
export interface MoneyRoute {
  /** The account whose money is sent. */
  readonly payer: string
  readonly to: string
  /** In the smallest unit. */
  readonly amount: bigint
}

/** A transaction without its sender. */
export interface TransactionDraft {
  readonly to: string
  readonly data?: string
  readonly value?: string
  /** Default: as much as it needs. */
  readonly gas?: string
}

interface PayWayRow {
  /** The account that signs: the payer, an account with its approval, or one without. */
  readonly signer: 'payer' | 'spender' | 'stranger'
  readonly token: ((token: string, route: MoneyRoute) => TransactionDraft) | null
  readonly coin: ((route: MoneyRoute) => TransactionDraft) | null
}

const quantity = (amount: bigint): string => `0x${amount.toString(16)}`

/** `payTokens(address,address[],uint256[])` and `payCoins(address)` of the paying contract. */
const selectors = { payTokens: '0x05c141be', payCoins: '0xfcc2158a' }

/** A call of the paying contract: one transfer to the receiver for each amount. */
function payTokens(token: string, to: string, amounts: readonly bigint[]): TransactionDraft {
  const count = BigInt(amounts.length)
  const words = [
    ...[token, 96n, 128n + 32n * count],
    ...[count, ...amounts.map(() => to)],
    ...[count, ...amounts],
  ]
  return { to: payerContract, data: selectors.payTokens + words.map(word).join('') }
}

/** The transaction of each way; null where the way does not exist for tokens or for coins. */
export const ways: Readonly<Record<PayWay, PayWayRow>> = {
  transfer: {
    signer: 'payer',
    token: (token, { to, amount }) => ({ to: token, data: tokenCall('transfer', to, amount) }),
    coin: ({ to, amount }) => ({ to, value: quantity(amount) }),
  },
  transfer_from: {
    signer: 'spender',
    token: (token, { payer, to, amount }) => ({
      to: token,
      data: tokenCall('transferFrom', payer, to, amount),
    }),
    coin: null,
  },
  contract: {
    signer: 'payer',
    token: (token, { to, amount }) => payTokens(token, to, [amount]),
    coin: ({ to, amount }) => ({
      to: payerContract,
      data: selectors.payCoins + word(to),
      value: quantity(amount),
    }),
  },
  batch: {
    signer: 'payer',
    token: (token, { to, amount }) => payTokens(token, to, [amount / 2n, amount - amount / 2n]),
    coin: null,
  },
  // It looks like a payment until it is executed: its signer has no approval, so it reverts.
  reverting: {
    signer: 'stranger',
    token: (token, { payer, to, amount }) => ({
      to: token,
      data: tokenCall('transferFrom', payer, to, amount),
      gas: quantity(120_000n),
    }),
    coin: null,
  },
}
