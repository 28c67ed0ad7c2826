import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { json as readJson } from 'node:stream/consumers'
import type { ClaimAnswer, PolicyAnswer } from '@settlewire/client/answers'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { build } from 'vite'
import { pagePolicy } from '../../server/src/http/headers.ts'
import { pageWithState } from '../../server/src/http/page.ts'
import { chainNames, eventOf, type FixtureName, fixtures, sightOf } from './checkout-fixtures.ts'

/** The client secret of the page's payment. It is embedded in the page, not in a cookie. */
const clientSecret = 'pi_secret_of_the_page'

/** How long a long-poll request is held. */
const heldMs = 25_000

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The pages, built from the present sources into a directory of their own. */
export async function buildPages(): Promise<{ root: string; remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'settlewire-pages-'))
  const web = join(import.meta.dirname, '../../web')
  const outDir = join(root, 'dist')
  await build({
    root: web,
    configFile: join(web, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: true },
  })
  return { root: outDir, remove: () => rm(root, { recursive: true, force: true }) }
}

/**
 * Serves the built checkout like the real server, including its CSP and the embedded state, with
 * payments that the test changes. `/pay/<fixture>/token` starts a payment, `/pay/now/token` is
 * another page of the payment that was started last.
 */
export class CheckoutServer {
  readonly #root: string
  readonly #server: Server
  readonly #streams = new Set<ServerResponse>()
  /** Long-poll requests that are held. */
  readonly #held = new Set<() => void>()
  #now: PaymentIntent = fixtures.awaiting
  /** The answer of the sandbox wallet: null pays, a text is the reason of a refusal. */
  refusal: string | null = null
  /** Streams are accepted, then buffered without sending anything, as some proxies do. */
  mute = false
  /** Streams end at a success, as on a server that does not know `until`. */
  endsAtSuccess = false
  /** The hash of the last claim. */
  claimed = ''
  /** The requests so far, as `POST /v1/…`. */
  readonly asked: string[] = []
  readonly cookies: string[] = []

  private constructor(root: string) {
    this.#root = root
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined)
      })
    })
  }

  static async start(root: string): Promise<CheckoutServer> {
    const server = new CheckoutServer(root)
    await server.listen(0)
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  #port = 0

  async listen(port = this.#port): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port // it listens on TCP
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Changes the payment and sends the event to every page that follows it. */
  move(more: Partial<PaymentIntent>): void {
    this.change(more)
    for (const stream of this.#streams) this.#tell(stream)
    for (const answer of this.#held) answer()
  }

  /** Changes the payment and sends no event. */
  change(more: Partial<PaymentIntent>): void {
    this.#now = { ...this.#now, ...more, sequence: this.#now.sequence + 1 }
  }

  /** Changes the visibility of the chains, which emits no event of the payment. */
  see(visibility: PaymentIntent['visibility']): void {
    this.#now = { ...this.#now, visibility }
    for (const stream of this.#streams) this.#beat(stream)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://checkout')
    this.asked.push(`${request.method} ${path}`)
    const name = path.split('/')[2] ?? ''
    if (request.headers.cookie !== undefined) this.cookies.push(request.headers.cookie)
    if (path.startsWith('/pay/') && Object.hasOwn(fixtures, name)) {
      this.#now = fixtures[name as FixtureName] // checked in the line above
      await this.#page(response)
    } else if (path === '/pay/now/token') {
      await this.#page(response)
    } else if (path.startsWith('/assets/')) await this.#asset(path, response)
    else if (request.headers.authorization !== `Bearer ${clientSecret}`) refuse(response)
    else if (path.endsWith('/stream')) this.#stream(response)
    else if (path.endsWith('/events'))
      await this.#events(response, {
        after: Number(searchParams.get('after')),
        isHeld: searchParams.has('wait'),
      })
    else if (path.endsWith('/pay')) this.#wallet(response)
    else if (path.endsWith('/policy')) json(response, 200, policyAnswer)
    else if (path.endsWith('/claims')) json(response, 202, await this.#claim(request))
    else if (path.startsWith('/v1/')) json(response, 200, this.#now)
    else response.writeHead(404).end()
  }

  async #page(response: ServerResponse): Promise<void> {
    const html = await readFile(join(this.#root, 'checkout.html'), 'utf8')
    const state = {
      payment: this.#now,
      merchant: { name: 'Demo Shop' },
      ...{ clientSecret, chainNames },
      serverTime: new Date().toISOString(),
      chains: sightOf(this.#now),
      sandbox: !this.#now.livemode,
    }
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pagePolicy,
      'cache-control': 'no-store',
    })
    response.end(pageWithState(html, state))
  }

  async #asset(path: string, response: ServerResponse): Promise<void> {
    const body = await readFile(join(this.#root, path))
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'text/plain' }).end(body)
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    if (this.mute) return
    response.write('retry: 200\n\n')
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
    this.#tell(response)
  }

  #tell(stream: ServerResponse): void {
    const { id, type, data } = eventOf(this.#now)
    stream.write(sseFrame({ id, event: type, data: JSON.stringify(data) }))
    this.#beat(stream)
    if (this.endsAtSuccess && data.status === 'succeeded') stream.end()
  }

  #beat(stream: ServerResponse): void {
    const { visibility, sequence } = this.#now
    const chains = sightOf(this.#now)
    const beat = { sequence, at: new Date().toISOString(), visibility, chains }
    stream.write(sseFrame({ event: 'heartbeat', data: JSON.stringify(beat) }))
  }

  async #events(
    response: ServerResponse,
    { after, isHeld }: { after: number; isHeld: boolean },
  ): Promise<void> {
    if (isHeld && after >= this.#now.sequence) {
      await new Promise<void>((resolve) => {
        const answer = () => {
          clearTimeout(timer)
          this.#held.delete(answer)
          resolve()
        }
        const timer = setTimeout(answer, heldMs)
        response.on('close', answer)
        this.#held.add(answer)
      })
    }
    const data = after >= this.#now.sequence ? [] : [eventOf(this.#now)]
    if (!response.destroyed) json(response, 200, { object: 'list', data, hasMore: false })
  }

  async #claim(request: IncomingMessage): Promise<ClaimAnswer> {
    const { txHash } = (await readJson(request)) as { txHash: string } // sent by the page under test
    this.claimed = txHash
    const message = 'No node knows this transaction yet. We go on looking for it.'
    return { txHash, chain: null, known: 'not_found', pays: null, message }
  }

  #wallet(response: ServerResponse): void {
    if (this.refusal === null) {
      json(response, 200, {})
      return
    }
    response.setHeader('content-type', 'application/problem+json')
    response.writeHead(503)
    response.end(JSON.stringify({ code: 'chain_unavailable', detail: this.refusal }))
  }
}

const policyAnswer: PolicyAnswer = {
  object: 'policy_explanation',
  ...{ id: fixtures.confirming.id, status: 'confirming', policy: 'sandbox-2' },
  ...{ requiredAmount: '150.00', settledAmount: '0.00', missingAmount: '0.00' },
  ...{ decidedByPerson: false, aboutMs: 39_500, rules: [], transfers: [] },
  sentences: [
    'This payment counts as paid with 12 blocks, the one that holds it included.',
    'An attacker would have to spend more to take it back than it is worth.',
  ],
}

function refuse(response: ServerResponse): void {
  response.setHeader('content-type', 'application/problem+json')
  response.writeHead(401).end(JSON.stringify({ code: 'unauthenticated', detail: 'No secret.' }))
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
