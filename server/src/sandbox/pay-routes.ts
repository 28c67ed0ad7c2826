import { Failure } from '@settlewire/core/errors'
import { amountRefused, parseAmountField, printAmount } from '@settlewire/core/money/amount'
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
      .meta({ description: 'A decimal string. Default: the missing amount.' }),
    asset: z.string().max(64).optional().meta({
      description:
        'One of `accept`, such as `USDC.local`, or the wrong token `USDC.e.local`. Default: the first of `accept`.',
    }),
    through: z.enum(payWays).optional().meta({
      description:
        '`transfer` (default); `transfer_from`: an approved third party sends it; `contract`: a contract pays; `batch`: two transfers in one transaction; `reverting`: the transaction reverts.',
    }),
    hold: z.boolean().optional().meta({
      description: 'Whether the transaction stays pending until it is sped up.',
    }),
  })
  .nullish()
  .transform((sent) => sent ?? {})
type PayWish = z.output<typeof wishForm>

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
 * `/v1/test/payment-intents/{id}/…`: the sandbox's wallet sends real transactions on the local
 * chain, and replaces or drops them like other wallets. Each route answers when the node has
 * accepted the transaction; the payment itself changes only when the server sees it, as with any
 * other wallet.
 */
export const payRoutes =
  (wallet: Wallet) =>
  (app: FastifyInstance, gate: Gate): void => {
    addPaymentLever(app, gate, {
      path: 'pay',
      summary: 'Pay from the sandbox wallet',
      description:
        'Sends a real transaction on the local chain and answers when the node has accepted it.',
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
        'Sends the last pending transaction of the sandbox wallet again, with the same nonce and a fee increased by an eighth. It pays the same and is mined with the next block.',
      ...{ answer: replacedForm, ...nothingMore },
      run: (payment) => replace(payment, (address) => wallet.speedUp(address)),
    })
    addPaymentLever(app, gate, {
      path: 'cancel-transaction',
      summary: 'Cancel a pending payment from the wallet',
      description:
        'Replaces the last pending transaction by one that pays the sender itself: same nonce, fee increased by an eighth. No money will arrive.',
      ...{ answer: replacedForm, ...nothingMore },
      run: (payment) => replace(payment, (address) => wallet.cancel(address)),
    })
    addPaymentLever(app, gate, {
      path: 'drop',
      summary: 'Drop a pending payment',
      description:
        'Removes the last pending transaction from the pool of the local chain, as nodes do when the pool is full or the transaction too old.',
      ...{ answer: droppedForm, ...nothingMore },
      run: (payment) => wallet.drop(addressOf(payment)),
    })
  }

const replace = (
  payment: Payment,
  send: (address: string) => Promise<Replaced>,
): Promise<Replaced> => send(addressOf(payment))

/** The address on the local chain, which is the same for every asset of a payment. */
function addressOf({ terms }: Payment): string {
  const accept = terms.accept.find(({ chain }) => chain === 'local')
  if (accept !== undefined) return accept.address
  throw new Failure('not_found', 'This payment does not accept the local chain.')
}

async function pay(
  wallet: Wallet,
  payment: Payment,
  { asset, amount: asked, through, hold }: PayWish,
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

/** Tokens that a payer might send by mistake, because they look like accepted ones. */
const mistakes = (accept: Acceptance): Acceptance[] =>
  testTokens
    .filter(({ accepted }) => !accepted)
    .map(({ symbol, address: token, decimals }) => ({ ...accept, asset: symbol, token, decimals }))

/**
 * The amount in units of the asset. The missing amount is rounded up, for assets with few decimals.
 */
function amountOf(payment: Payment, { decimals }: Acceptance, text: string | undefined): bigint {
  if (text !== undefined) return parseAmountField(text, decimals)
  const missing = payment.terms.amount - payment.received - payment.pending
  if (missing <= 0n) throw amountRefused('Nothing is missing. Give an amount to pay more.')
  const unit = 10n ** BigInt(payment.terms.decimals - decimals)
  return (missing + unit - 1n) / unit
}
