import { parseAmount, printAmount } from '@settlewire/core/money/amount'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

/** The API request of a lever. */
export interface Pull {
  readonly path: string
  readonly body: object
}

/** One button. The levers of the chain work without a payment. */
export interface LabLever {
  /** The value that the form sends. */
  readonly name: string
  readonly label: string
  /** Its effect, shown as a tooltip. */
  readonly says: string
  readonly pull: (payment: PaymentIntent, options: LabOptions) => Pull
}

/** The options beside the buttons. */
export interface LabOptions {
  /** Whether a reorg keeps the transactions. */
  readonly keep: boolean
}

/** A group of buttons. */
export interface LabGroup {
  readonly title: string
  readonly levers: readonly LabLever[]
}

const pay = (name: string, [label, says]: readonly [string, string], body: PayBody): LabLever => ({
  ...{ name: `pay:${name}`, label, says },
  pull: (payment) => ({
    path: `/v1/test/payment-intents/${payment.id}/pay`,
    body: typeof body === 'function' ? body(payment) : body,
  }),
})
type PayBody = object | ((payment: PaymentIntent) => object)

const pending = (name: string, label: string, says: string): LabLever => ({
  ...{ name, label, says },
  pull: ({ id }) => ({ path: `/v1/test/payment-intents/${id}/${name}`, body: {} }),
})

const decide = (action: string, label: string, says: string): LabLever => ({
  ...{ name: `resolve:${action}`, label, says },
  pull: ({ id }) => ({
    path: `/v1/payment-intents/${id}/resolve`,
    body: { action, reason: 'Decided in the lab' },
  }),
})

const mine = (blocks: number): LabLever => ({
  name: `mine:${blocks}`,
  label: blocks === 1 ? 'Mine 1 block' : `Mine ${blocks}`,
  says: 'Mines blocks at once instead of every two seconds',
  pull: () => ({ path: '/v1/test/chain/mine', body: { blocks } }),
})

const reorg = (depth: number): LabLever => ({
  name: `reorg:${depth}`,
  label: depth === 1 ? 'Reorg 1 block' : `Reorg ${depth}`,
  says: 'Replaces the last blocks by others',
  pull: (_, { keep }) => ({ path: '/v1/test/chain/reorg', body: { depth, keep } }),
})

/** A percentage of the full amount. */
const part =
  (percent: bigint) =>
  ({ amount, accept }: PaymentIntent): object => {
    const decimals = accept[0]?.decimals ?? 6
    return { amount: printAmount((parseAmount(amount, decimals) * percent) / 100n, decimals) }
  }

const leastOf = ({ accept }: PaymentIntent): object => ({
  amount: printAmount(1n, accept[0]?.decimals ?? 6),
})

/** The levers on the chosen payment, in the order of its life. */
export const paymentGroups: readonly LabGroup[] = [
  {
    title: 'Pay',
    levers: [
      pay('all', ['Pay', 'Pays the missing amount from the sandbox wallet'], {}),
      pay('held', ['Pay, held', 'The transaction stays pending'], { hold: true }),
      pay('half', ['Half', 'Pays half of the full amount'], part(50n)),
      pay('over', ['Overpay', 'Pays a tenth too much'], part(110n)),
      pay('again', ['Pay again', 'Pays the full amount once more'], part(100n)),
      pay('dust', ['Dust', 'Pays the smallest possible amount'], leastOf),
      pay('twin', ['Wrong token', 'Pays in USDC.e, which is not accepted'], () => ({
        ...{ asset: 'USDC.e.local', amount: '25.00' },
      })),
      pay('contract', ['By a contract', 'A contract sends the money'], { through: 'contract' }),
      pay('batch', ['In two parts', 'Two transfers in one transaction'], { through: 'batch' }),
      pay('other', ['By someone else', 'An approved third party sends it'], {
        through: 'transfer_from',
      }),
      pay('reverting', ['Failing', 'A transaction that is mined and reverts'], {
        through: 'reverting',
      }),
    ],
  },
  {
    title: 'While it is pending',
    levers: [
      pending('speed-up', 'Speed up', 'Sends the same payment again with an eighth more fee'),
      pending('cancel-transaction', 'Cancel', 'Uses its nonce for a payment to the sender'),
      pending('drop', 'Drop', 'Removes the transaction from the nodes'),
    ],
  },
  {
    title: 'As the merchant',
    levers: [
      {
        ...{ name: 'withdraw', label: 'Withdraw', says: 'Cancels the payment' },
        pull: ({ id }) => ({ path: `/v1/payment-intents/${id}/cancel`, body: {} }),
      },
      decide('accept', 'Accept', 'Accepts the money that arrived as enough'),
      decide('wait', 'Wait longer', 'Waits for the rest until the end of the watch'),
      decide('refund_noted', 'Refunded', 'Records that the money was sent back'),
      decide('dismiss', 'Dismiss', 'Sets the money aside'),
    ],
  },
]

/** The levers on the chain. */
export const chainGroup: LabGroup = {
  title: 'Blocks',
  levers: [mine(1), mine(5), mine(40), reorg(1), reorg(3), reorg(8)],
}

/** The faults of a provider. */
export const providerModes = [
  { mode: 'ok', label: 'OK' },
  { mode: 'lag', label: 'Lag' },
  { mode: 'half_open', label: 'Silent' },
  { mode: 'outage', label: 'Outage' },
] as const

/** The payments that can be created in the lab. */
export const offers = [
  { amount: '6.00', currency: 'USDC' },
  { amount: '25.00', currency: 'USDC' },
  { amount: '25.00', currency: 'TOLL' },
  { amount: '0.05', currency: 'ETH' },
] as const

const byName = new Map(
  [...paymentGroups, chainGroup].flatMap(({ levers }) => levers.map((one) => [one.name, one])),
)

/** The request of a lever; null if the lever is unknown, or needs a payment and has none. */
export function pullOf(
  name: string,
  payment: PaymentIntent | null,
  options: LabOptions,
): Pull | null {
  const [what, provider, mode] = name.split(':')
  if (what === 'provider') {
    return { path: '/v1/test/providers', body: { name: provider, mode } }
  }
  const lever = byName.get(name)
  if (lever === undefined) return null
  const needsPayment = !chainGroup.levers.includes(lever)
  if (payment === null) return needsPayment ? null : lever.pull(noPayment, options)
  return lever.pull(payment, options)
}

// The chain's levers do not use the payment.
const noPayment = { id: '' } as PaymentIntent
