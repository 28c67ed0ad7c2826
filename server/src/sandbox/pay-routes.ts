import { Failure } from '@settlewire/core/errors'
import { parseAmount, printAmount } from '@settlewire/core/money/amount'
import type { Acceptance, Payment } from '@settlewire/core/payment/payment'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Gate } from '../ports/access.ts'
import { addPaymentLever } from './lever.ts'
import { payWays } from './pay-ways.ts'
import { testTokens } from './token.ts'
import type { Replaced, SandboxWallet } from './wallet.ts'

type Wallet = Pick<SandboxWallet, 'pay' | 'speedUp' | 'cancel' | 'drop'>

const wishForm = z
  .strictObject({
    amount: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'A decimal string; left out: what is still missing.' }),
    asset: z.string().max(64).optional().meta({
      description:
        'One of `accept`, as `USDC.local`; left out: the first of them. Or `USDC.e.local`, which nothing accepts.',
    }),
    through: z.enum(payWays).optional().meta({
      description:
        '`transfer` (as when left out); `transfer_from`: an approved third party moves it; `contract`: a contract pays; `batch`: it pays in two parts at once; `reverting`: the transaction fails when it runs.',
    }),
    hold: z.boolean().optional().meta({
      description: 'Whether it stays pending: no block takes it until it is sped up.',
    }),
  })
  .nullish()
  .transform((sent) => sent ?? {})
type Wish = z.output<typeof wishForm>

const sentForm = z.strictObject({
  txHash: z.string(),
  chain: z.string(),
  asset: z.string(),
  amount: z.string(),
  from: z.string(),
})

const droppedForm = z.strictObject({ txHash: z.string(), from: z.string() })
const replacedForm = droppedForm.extend({ replacedTxHash: z.string() })

/**
 * `/v1/test/payment-intents/{id}/…`: has the sandbox's wallet send real transactions on the local
 * chain, and take them back as wallets do. Each answers when the chain has taken it; the payment
 * itself moves only when the server sees it, as with any other wallet.
 */
export const payRoutes =
  (wallet: Wallet) =>
  (app: FastifyInstance, gate: Gate): void => {
    addPaymentLever(app, gate, {
      path: 'pay',
      summary: 'Pay from the sandbox wallet',
      description:
        'Sends a real transaction on the local chain and answers when the chain has taken it.',
      body: wishForm,
      answer: sentForm,
      refusals: ['not_found', 'invalid_amount', 'unsupported_asset', 'overloaded'],
      run: (payment, wish) => pay(wallet, payment, wish),
    })
    const nothingMore = { refusals: ['not_found'] } as const
    addPaymentLever(app, gate, {
      path: 'speed-up',
      summary: 'Speed a pending payment up',
      description:
        'Sends the last transaction of the sandbox wallet that still waits again, with the same nonce and an eighth more fee. It pays the same and is mined with the next block.',
      ...{ answer: replacedForm, ...nothingMore },
      run: (payment) => replace(payment, (address) => wallet.speedUp(address)),
    })
    addPaymentLever(app, gate, {
      path: 'cancel-transaction',
      summary: 'Cancel a pending payment from the wallet',
      description:
        'Takes the place of the last transaction that still waits with one that pays the sender itself: same nonce, an eighth more fee. Nothing will arrive.',
      ...{ answer: replacedForm, ...nothingMore },
      run: (payment) => replace(payment, (address) => wallet.cancel(address)),
    })
    addPaymentLever(app, gate, {
      path: 'drop',
      summary: 'Drop a pending payment',
      description:
        'Has the nodes of the local chain forget the last transaction that still waits, as pools do when they are full or it is too old.',
      ...{ answer: droppedForm, ...nothingMore },
      run: (payment) => wallet.drop(addressOf(payment)),
    })
  }

const replace = (
  payment: Payment,
  send: (address: string) => Promise<Replaced>,
): Promise<Replaced> => send(addressOf(payment))

/** On one chain every asset of a payment has the same address. */
function addressOf({ terms }: Payment): string {
  const accept = terms.accept.find(({ chain }) => chain === 'local')
  if (accept !== undefined) return accept.address
  throw new Failure('not_found', 'This payment is not paid on the local chain.')
}

async function pay(
  wallet: Wallet,
  payment: Payment,
  { asset, amount: asked, through, hold }: Wish,
): Promise<z.output<typeof sentForm>> {
  const accept = chooseAcceptance(payment, asset)
  const amount = amountOf(payment, accept, asked)
  const { txHash, from } = await wallet.pay({
    ...{ accept, amount },
    ...(through && { way: through }),
    ...(hold && { hold }),
  })
  const { chain, decimals } = accept
  return { txHash, chain, asset: accept.asset, amount: printAmount(amount, decimals), from }
}

const nameOf = ({ asset, chain }: Acceptance): string => `${asset}.${chain}`

function chooseAcceptance(payment: Payment, name: string | undefined): Acceptance {
  const onChain = payment.terms.accept.filter((accept) => accept.chain === 'local')
  const [first] = onChain
  const choice = first === undefined ? [] : [...onChain, ...mistakes(first)]
  const accept =
    name === undefined ? first : choice.find((one) => one.asset === name || nameOf(one) === name)
  if (accept !== undefined) return accept
  const said = choice.map(nameOf).join(', ') || 'nothing'
  throw new Failure('unsupported_asset', `The sandbox can pay this with: ${said}.`)
}

/** What a payer might send by mistake: tokens that are taken for others. */
const mistakes = (accept: Acceptance): Acceptance[] =>
  testTokens
    .filter(({ accepted }) => !accepted)
    .map(({ symbol, address: token, decimals }) => ({ ...accept, asset: symbol, token, decimals }))

/** In the asset's own units. What is missing is rounded up: a coarse asset must still cover it. */
function amountOf(payment: Payment, { decimals }: Acceptance, text: string | undefined): bigint {
  if (text !== undefined) {
    const amount = parseAmount(text, decimals)
    if (amount > 0n) return amount
    throw new Failure('invalid_amount', 'The amount must be more than nothing.')
  }
  const missing = payment.terms.amount - payment.received - payment.pending
  if (missing <= 0n) {
    throw new Failure('invalid_amount', 'Nothing is missing. Send an amount to pay all the same.')
  }
  const unit = 10n ** BigInt(payment.terms.decimals - decimals)
  return (missing + unit - 1n) / unit
}
