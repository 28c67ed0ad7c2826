import { parseAmount, printAmount } from '@settlewire/core/money/amount'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

/** What a lever of the lab asks the public API for. */
export interface Pull {
  readonly path: string
  readonly body: object
}

/** One button. Those that name no payment work without one. */
export interface LabLever {
  /** What the form sends. */
  readonly name: string
  readonly label: string
  /** What happens, for those who wonder before they press. */
  readonly says: string
  readonly pull: (payment: PaymentIntent, options: LabOptions) => Pull
}

/** What stands beside the buttons. */
export interface LabOptions {
  /** Whether transactions come again after a reorg. */
  readonly keep: boolean
}

/** Buttons that belong together. */
export interface LabGroup {
  readonly title: string
  readonly levers: readonly LabLever[]
}

const pay = (name: string, [label, says]: readonly [string, string], body: Wish): LabLever => ({
  ...{ name: `pay:${name}`, label, says },
  pull: (payment) => ({
    path: `/v1/test/payment-intents/${payment.id}/pay`,
    body: typeof body === 'function' ? body(payment) : body,
  }),
})
type Wish = object | ((payment: PaymentIntent) => object)

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
  says: 'Blocks at once, rather than every two seconds',
  pull: () => ({ path: '/v1/test/chain/mine', body: { blocks } }),
})

const reorg = (depth: number): LabLever => ({
  name: `reorg:${depth}`,
  label: depth === 1 ? 'Reorg 1 block' : `Reorg ${depth}`,
  says: 'Other blocks in the place of the last ones',
  pull: (_, { keep }) => ({ path: '/v1/test/chain/reorg', body: { depth, keep } }),
})

/** So many hundredths of what was asked for. */
const part =
  (percent: bigint) =>
  ({ amount, accept }: PaymentIntent): object => {
    const decimals = accept[0]?.decimals ?? 6
    return { amount: printAmount((parseAmount(amount, decimals) * percent) / 100n, decimals) }
  }

const leastOf = ({ accept }: PaymentIntent): object => ({
  amount: printAmount(1n, accept[0]?.decimals ?? 6),
})

/** What can be done to the chosen payment, in the order of its life. */
export const paymentGroups: readonly LabGroup[] = [
  {
    title: 'Pay',
    levers: [
      pay('all', ['Pay', 'What is missing, from the sandbox wallet'], {}),
      pay('held', ['Pay, held', 'It stays pending: no block has room for it'], { hold: true }),
      pay('half', ['Half', 'Half of what was asked for'], part(50n)),
      pay('over', ['Overpay', 'A tenth too much'], part(110n)),
      pay('again', ['Pay again', 'All of it once more'], part(100n)),
      pay('dust', ['Dust', 'The smallest amount there is'], leastOf),
      pay('twin', ['Wrong token', 'USDC.e, which nobody accepts here'], () => ({
        ...{ asset: 'USDC.e.local', amount: '25.00' },
      })),
      pay('contract', ['By a contract', 'A contract moves the money'], { through: 'contract' }),
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
      pending('speed-up', 'Speed up', 'The same payment again, for an eighth more fee'),
      pending('cancel-transaction', 'Cancel', 'Its nonce is used for something else'),
      pending('drop', 'Drop', 'The nodes forget it'),
    ],
  },
  {
    title: 'As the merchant',
    levers: [
      {
        ...{ name: 'withdraw', label: 'Withdraw', says: 'Cancel the request itself' },
        pull: ({ id }) => ({ path: `/v1/payment-intents/${id}/cancel`, body: {} }),
      },
      decide('accept', 'Accept', 'What arrived is good enough'),
      decide('wait', 'Wait longer', 'Until late money is no longer watched for'),
      decide('refund_noted', 'Refunded', 'The money was sent back'),
      decide('dismiss', 'Dismiss', 'Nothing is to be done about it'),
    ],
  },
]

/** What can be done to the chain. */
export const chainGroup: LabGroup = {
  title: 'Blocks',
  levers: [mine(1), mine(5), mine(40), reorg(1), reorg(3), reorg(8)],
}

/** How a provider can be made to be. */
export const providerModes = [
  { mode: 'ok', label: 'OK' },
  { mode: 'lag', label: 'Lag' },
  { mode: 'half_open', label: 'Silent' },
  { mode: 'outage', label: 'Outage' },
] as const

/** What can be asked for in the lab. */
export const offers = [
  { amount: '6.00', currency: 'USDC' },
  { amount: '25.00', currency: 'USDC' },
  { amount: '25.00', currency: 'TOLL' },
  { amount: '0.05', currency: 'ETH' },
] as const

const byName = new Map(
  [...paymentGroups, chainGroup].flatMap(({ levers }) => levers.map((one) => [one.name, one])),
)

/** What a form asked for; null when there is no such lever, or none without a payment. */
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
  if (payment === null) return needsPayment ? null : lever.pull(nobody, options)
  return lever.pull(payment, options)
}

// The chain's levers do not look at it.
const nobody = { id: '' } as PaymentIntent
