import type { Client } from '@settlewire/client/client'
import { resolutionActions } from '@settlewire/core/payment/observation'
import { type Status, statuses } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { chainNames } from './chain-names.ts'
import type { CommandWork } from './command-work.ts'
import type { ExitName } from './exit-code.ts'
import { CliProblem, tell } from './problem.ts'
import { showInLine, showPayment } from './show.ts'
import { showChain } from './show-chain.ts'
import { showDecision } from './show-decision.ts'
import { eventHead, showEvent } from './show-event.ts'
import { wasNotSent } from './unreachable.ts'
import { watch } from './watch.ts'

interface CliCommand {
  readonly usage: string
  readonly does: string
  /** The options that it accepts in addition to the common ones. */
  readonly takes: readonly string[]
  readonly run: (work: CommandWork) => Promise<ExitName>
}

/** The names of a command's arguments: the `<words>` of its usage, in order. */
export const wordsOf = ({ usage }: Pick<CliCommand, 'usage'>): readonly string[] =>
  Array.from(usage.matchAll(/<(\w+)>/g), ([, word = '']) => word)

/** Every command. A command uses the public API through the client, and nothing else. */
export const commands: Readonly<Record<string, CliCommand>> = {
  create: {
    usage: 'create <amount> <currency> [--accept USDC.local …] [--quiet]',
    does: 'creates a payment and shows where to pay it; with --quiet prints its id only',
    takes: ['amount', 'currency', 'accept', 'quiet', 'expires-in', 'reference', 'metadata'].concat([
      'redirect-url',
      'idempotency-key',
    ]),
    run: create,
  },
  get: {
    usage: 'get <id>',
    does: 'shows a payment',
    takes: [],
    run: (work) => showOne(work, (id, signal) => work.client.get(id, { signal })),
  },
  list: {
    usage: 'list [--status confirming] [--reference order-42]',
    does: 'lists payments, newest first',
    takes: ['status', 'reference', 'tx-hash', 'address', 'limit', 'cursor'],
    run: list,
  },
  cancel: {
    usage: 'cancel <id> [--reason "out of stock"]',
    does: 'withdraws a payment that has not been paid yet',
    takes: ['reason'],
    run: (work) => {
      const reason = work.asked.option('reason')
      const request = reason === undefined ? {} : { reason }
      return showOne(work, (id, signal) => work.client.cancel(id, request, { signal }))
    },
  },
  events: {
    usage: 'events <id> [--after 3] [--wait 25]',
    does: 'shows the events of a payment, oldest first',
    takes: ['after', 'limit', 'wait'],
    run: events,
  },
  watch: {
    usage: 'watch <id>',
    does: 'follows a payment until its money is final',
    takes: [],
    run: watch,
  },
  claim: {
    usage: 'claim <id> <hash> [--chain base]',
    does: 'claims the transaction that pays, so that Settlewire searches for it',
    takes: ['chain'],
    run: claim,
  },
  resolve: {
    usage: 'resolve <id> <action> --reason "agreed with the customer"',
    does: `records a decision that no rule can make: ${resolutionActions.join(', ')}`,
    takes: ['reason', 'idempotency-key'],
    run: resolve,
  },
  policy: {
    usage: 'policy <id>',
    does: 'explains what a payment waits for, why, and about how long',
    takes: [],
    run: policy,
  },
  chains: {
    usage: 'chains',
    does: 'shows the chains, their assets and rules, and how well they are seen',
    takes: [],
    run: chains,
  },
}

async function create(work: CommandWork): Promise<ExitName> {
  const { client, asked, print, signal } = work
  const accept = asked.list('accept')
  const request = {
    ...price(asked),
    ...(accept.length > 0 && { accept }),
    ...defined({
      expiresIn: asked.whole('expires-in'),
      reference: asked.option('reference'),
      redirectUrl: asked.option('redirect-url'),
    }),
    metadata: asked.pairs('metadata'),
  }
  const payment = await once(work, (idempotencyKey) =>
    client.create(request, { signal, idempotencyKey }),
  )
  if (asked.quiet) print(payment.id)
  else await printPayment(work, payment)
  return 'done'
}

/** Amount and currency. Refuses what was probably meant otherwise, with the words to type. */
function price(asked: CommandWork['asked']): { amount: string; currency: string } {
  const words = ['amount', 'currency']
  const [amount, currency] = [asked.word('amount', words), asked.word('currency', words)]
  const isSwapped = /^\d/.test(currency) && /^[a-z]/i.test(amount)
  if (isSwapped) {
    const advice = `Did you mean create ${currency} ${amount.toUpperCase()}?`
    throw new CliProblem('usage', 'The amount comes first, then the currency.', advice)
  }
  if (/[a-z]/.test(currency)) {
    const advice = `Did you mean ${currency.toUpperCase()}?`
    throw new CliProblem('usage', `Currencies are written in capital letters. ${advice}`)
  }
  return { amount, currency }
}

/**
 * Sends a request with an idempotency key. If the request may have been executed and the command
 * line has no key, notes the key, so that the request can be repeated safely.
 */
async function once<T>(
  { asked, note }: CommandWork,
  send: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const given = asked.option('idempotency-key')
  const key = given ?? crypto.randomUUID()
  try {
    return await send(key)
  } catch (error) {
    const exit = tell(error)?.exit
    const isOpen = (exit === 'later' || exit === 'interrupted') && !wasNotSent(error)
    if (given === undefined && isOpen) {
      note(`The request may have been executed. To repeat it safely, add --idempotency-key ${key}`)
    }
    throw error
  }
}

async function showOne(
  work: CommandWork,
  get: (id: string, signal: AbortSignal) => ReturnType<Client['get']>,
): Promise<ExitName> {
  await printPayment(work, await get(work.asked.id(), work.signal))
  return 'done'
}

async function printPayment(
  { client, asked, print, signal }: CommandWork,
  payment: PaymentIntent,
): Promise<void> {
  const lines = asked.json
    ? [JSON.stringify(payment)]
    : showPayment(payment, await chainNames(client, signal))
  for (const line of lines) print(line)
}

async function list({ client, asked, print, note, signal }: CommandWork): Promise<ExitName> {
  const query = defined({
    status: statusOf(asked.option('status')),
    reference: asked.option('reference'),
    txHash: asked.option('tx-hash'),
    address: asked.option('address'),
    limit: asked.whole('limit'),
    cursor: asked.option('cursor'),
  })
  const page = await client.list(query, { signal })
  for (const payment of page.data) {
    print(asked.json ? JSON.stringify(payment) : showInLine(payment))
  }
  for (const id of page.unreadable ?? []) note(`The server cannot read ${id}; see its log.`)
  if (page.nextCursor !== null) note(`More: --cursor ${page.nextCursor}`)
  return 'done'
}

async function events({ client, asked, print, signal, medium }: CommandWork): Promise<ExitName> {
  const query = defined({
    after: asked.whole('after'),
    limit: asked.whole('limit'),
    wait: asked.whole('wait'),
  })
  const { data } = await client.events(asked.id(), query, { signal })
  if (!asked.json && data.length > 0) print(eventHead(medium))
  for (const event of data) print(asked.json ? JSON.stringify(event) : showEvent(event, medium))
  return 'done'
}

async function claim({ client, asked, print, signal }: CommandWork): Promise<ExitName> {
  const txHash = asked.word('hash', ['id', 'hash'])
  const request = { txHash, ...defined({ chain: asked.option('chain') }) }
  const answer = await client.claim(asked.id(), request, { signal })
  print(asked.json ? JSON.stringify(answer) : answer.message)
  return 'done'
}

async function resolve(work: CommandWork): Promise<ExitName> {
  const { asked, client } = work
  const text = asked.word('action', ['id', 'action'])
  const action = resolutionActions.find((one) => one === text)
  if (action === undefined) {
    const advice = `One of: ${resolutionActions.join(' ')}`
    throw new CliProblem('usage', `Unknown action: ${text}.`, advice)
  }
  const reason = asked.required('reason')
  return showOne(work, (id, signal) =>
    once(work, (idempotencyKey) =>
      client.resolve(id, { action, reason }, { signal, idempotencyKey }),
    ),
  )
}

async function policy({ client, asked, print, signal }: CommandWork): Promise<ExitName> {
  const answer = await client.policy(asked.id(), { signal })
  for (const line of asked.json ? [JSON.stringify(answer)] : answer.sentences) print(line)
  if (asked.json || answer.status !== 'investigation_required') return 'done'
  for (const line of showDecision(await client.get(asked.id(), { signal }))) print(line)
  return 'done'
}

async function chains({ client, asked, print, signal }: CommandWork): Promise<ExitName> {
  const { data } = await client.chains({ signal })
  for (const chain of data) {
    for (const line of asked.json ? [JSON.stringify(chain)] : showChain(chain)) print(line)
  }
  return 'done'
}

function statusOf(text: string | undefined): Status | undefined {
  if (text === undefined) return undefined
  const status = statuses.find((one) => one === text)
  if (status === undefined) {
    throw new CliProblem('usage', `Unknown status: ${text}.`, `One of: ${statuses.join(' ')}`)
  }
  return status
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The fields without those that were not given. */
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T> // without undefined values
