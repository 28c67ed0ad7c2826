import { payerContract } from './prepare-chain.ts'
import { word } from './rpc.ts'
import { tokenCall } from './token.ts'

/** How money can be sent. */
export const payWays = ['transfer', 'transfer_from', 'contract', 'batch', 'reverting'] as const
export type PayWay = (typeof payWays)[number]

/** What is to be sent. */
export interface Route {
  /** Whose money it is. */
  readonly payer: string
  readonly to: string
  /** In the smallest unit. */
  readonly amount: bigint
}

/** A transaction but for its sender. */
export interface Draft {
  readonly to: string
  readonly data?: string
  readonly value?: string
  /** Left out: as much as it needs. */
  readonly gas?: string
}

interface Way {
  /** Who signs: the payer, or somebody whom the payer has approved, or somebody it has not. */
  readonly signer: 'payer' | 'spender' | 'stranger'
  readonly token: ((token: string, route: Route) => Draft) | null
  readonly coin: ((route: Route) => Draft) | null
}

const quantity = (amount: bigint): string => `0x${amount.toString(16)}`

/** `payTokens(address,address[],uint256[])` and `payCoins(address)` of the paying contract. */
const selectors = { payTokens: '0x05c141be', payCoins: '0xfcc2158a' }

/** Through the contract: to the receiver in as many parts as there are amounts. */
function payTokens(token: string, to: string, amounts: readonly bigint[]): Draft {
  const count = BigInt(amounts.length)
  const words = [
    ...[token, 96n, 128n + 32n * count],
    ...[count, ...amounts.map(() => to)],
    ...[count, ...amounts],
  ]
  return { to: payerContract, data: selectors.payTokens + words.map(word).join('') }
}

/** What each way sends; null where there is no such way for the asset. */
export const ways: Readonly<Record<PayWay, Way>> = {
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
  // It looks like a payment until it runs: nobody has approved the one who sends it.
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
