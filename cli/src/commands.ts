import type { Client } from '@settlewire/client/client'
import { RequestError } from '@settlewire/client/request-error'
import { type Status, statuses } from '@settlewire/core/status-model'
import type { Asked } from './ask.ts'
import type { ExitName } from './exit-code.ts'
import { Problem } from './problem.ts'
import { showConnection, showEvent, showInLine, showPayment } from './show.ts'

/** What a command works with. */
export interface Work {
  readonly client: Client
  readonly asked: Asked
  /** A line of the answer. */
  readonly print: (line: string) => void
  /** A line beside the answer, for the person and not for the pipe. */
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}

interface Command {
  readonly usage: string
  readonly does: string
  /** Options that it takes beside the common ones. */
  readonly takes: readonly string[]
  readonly run: (work: Work) => Promise<ExitName>
}

/** Every command. Each speaks the public API, through the client, and nothing else. */
export const commands: Readonly<Record<string, Command>> = {
  create: {
    usage: 'create --amount 150.00 --currency USDC [--accept USDC.local …]',
    does: 'asks for a payment and says where to pay it',
    takes: ['amount', 'currency', 'accept', 'expires-in', 'reference', 'metadata'].concat([
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
    does: 'withdraws a payment that was not paid yet',
    takes: ['reason'],
    run: (work) => {
      const reason = work.asked.option('reason')
      const request = reason === undefined ? {} : { reason }
      return showOne(work, (id, signal) => work.client.cancel(id, request, { signal }))
    },
  },
  events: {
    usage: 'events <id> [--after 3] [--wait 25]',
    does: 'shows what has happened to a payment, oldest first',
    takes: ['after', 'limit', 'wait'],
    run: events,
  },
  watch: {
    usage: 'watch <id>',
    does: 'follows a payment until it closes',
    takes: [],
    run: watch,
  },
}

async function create({ client, asked, print, signal }: Work): Promise<ExitName> {
  const accept = asked.list('accept')
  const payment = await client.create(
    {
      amount: asked.required('amount'),
      currency: asked.required('currency'),
      ...(accept.length > 0 && { accept }),
      ...defined({
        expiresIn: asked.whole('expires-in'),
        reference: asked.option('reference'),
        redirectUrl: asked.option('redirect-url'),
      }),
      metadata: asked.pairs('metadata'),
    },
    { signal, ...defined({ idempotencyKey: asked.option('idempotency-key') }) },
  )
  for (const line of asked.json ? [JSON.stringify(payment)] : showPayment(payment)) print(line)
  return 'done'
}

async function showOne(
  { asked, print, signal }: Work,
  get: (id: string, signal: AbortSignal) => ReturnType<Client['get']>,
): Promise<ExitName> {
  const payment = await get(asked.id(), signal)
  for (const line of asked.json ? [JSON.stringify(payment)] : showPayment(payment)) print(line)
  return 'done'
}

async function list({ client, asked, print, note, signal }: Work): Promise<ExitName> {
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
  if (page.nextCursor !== null) note(`More: --cursor ${page.nextCursor}`)
  return 'done'
}

async function events({ client, asked, print, signal }: Work): Promise<ExitName> {
  const query = defined({
    after: asked.whole('after'),
    limit: asked.whole('limit'),
    wait: asked.whole('wait'),
  })
  const { data } = await client.events(asked.id(), query, { signal })
  for (const event of data) print(asked.json ? JSON.stringify(event) : showEvent(event))
  return 'done'
}

async function watch({ client, asked, print, note, signal }: Work): Promise<ExitName> {
  let status: Status | null = null
  let said: string | null = null
  let refused: string | null = null
  for await (const update of client.watch(asked.id(), { signal })) {
    if (update.kind === 'event') {
      status = update.event.data.status
      print(asked.json ? JSON.stringify(update.event) : showEvent(update.event))
      continue
    }
    const { connection } = update
    const saying = showConnection(connection)
    if (saying !== null && saying !== said) note(saying)
    said = saying ?? said
    if (connection.state === 'ended') refused = connection.reason
  }
  if (signal.aborted) return 'interrupted'
  if (refused !== null) {
    throw new RequestError({ code: refused, status: 400, detail: 'It cannot be followed.' })
  }
  return status === 'succeeded' ? 'done' : 'unpaid'
}

function statusOf(text: string | undefined): Status | undefined {
  if (text === undefined) return undefined
  const status = statuses.find((one) => one === text)
  if (status === undefined) {
    throw new Problem('usage', `There is no status ${text}.`, `One of: ${statuses.join(' ')}`)
  }
  return status
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the fields that were not given. */
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T> // undefined is left out
