import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeId } from '@settlewire/core/id'
import type { KeyScope } from '@settlewire/core/scope'
import { MemoryBackplane } from '../../server/src/backplane/memory.ts'
import { systemClock } from '../../server/src/clock.ts'
import { hashKey, mintKey } from '../../server/src/credential.ts'
import type { AssetBook } from '../../server/src/engine/payment/asset-book.ts'
import { Hub } from '../../server/src/engine/topic/hub.ts'
import { hintsOf } from '../../server/src/engine/topic/topics.ts'
import type { ChainFacts, HttpDeps } from '../../server/src/http/context.ts'
import { createServer, type HttpServer } from '../../server/src/http/server.ts'
import { createLog } from '../../server/src/log.ts'
import { createMetrics, type ScrapedMetrics } from '../../server/src/metrics.ts'
import type { KeyKind } from '../../server/src/ports/access.ts'
import type { Backplane } from '../../server/src/ports/topic.ts'
import { edgeLimits } from './edge-world.ts'
import { EngineWorld, kinds, merchant, policy, stranger } from './engine-world.ts'
import { usdc } from './payments.ts'

/** An answer with its complete body. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; each test knows the type it expects. */
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the type it expects
  readonly json: any
}

export interface Asking {
  readonly method?: string
  readonly key?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** A known token that is not accepted. */
export const bridgedUsdc = `0x${'7e'.repeat(20)}`

/** The configuration of the engine's chains. */
export const facts: readonly ChainFacts[] = [
  { name: 'local', chainId: 31_337, explorerTx: null, accepted: true },
  {
    ...{ name: 'other', displayName: 'Other Chain', chainId: 31_338, accepted: false },
    explorerTx: 'https://scan.example/tx/{hash}',
  },
].map(({ accepted, ...known }) => ({
  tokens: [
    { symbol: 'USDC', address: usdc, decimals: 6 },
    { symbol: 'USDC.e', address: bridgedUsdc, decimals: 6 },
  ],
  ...{ ...known, livemode: false, blockMs: 2_000, publicMempool: true },
  native: { symbol: 'ETH', currency: 'ETH', decimals: 18, accepted },
}))

const pageHtml =
  '<!doctype html><html><head><title>t</title><script type="module" src="/assets/checkout-0a1b2c3d.js"></script></head><body></body></html>'

/** The server on real sockets, with a real engine and database, and a manual clock. */
export class HttpWorld {
  readonly engine: EngineWorld
  readonly server: HttpServer
  readonly url: string
  readonly metrics: ScrapedMetrics
  readonly backplane: Backplane
  /** Everything that was logged. */
  readonly logged: string[]
  /** A secret key of the merchant, in test mode. */
  readonly secretKey: string
  /** The assets that routes offer; the engine has its own list. */
  readonly assets: AssetBook
  readonly #deps: HttpDeps
  /** Null when the caller removes it. */
  readonly #webRoot: string | null

  private constructor(parts: {
    engine: EngineWorld
    server: HttpServer
    url: string
    deps: HttpDeps
    backplane: Backplane
    logged: string[]
    secretKey: string
    ownWebRoot: string | null
  }) {
    this.engine = parts.engine
    this.server = parts.server
    this.url = parts.url
    this.metrics = parts.deps.metrics
    this.assets = parts.deps.chains.assets
    this.backplane = parts.backplane
    this.logged = parts.logged
    this.secretKey = parts.secretKey
    this.#deps = parts.deps
    this.#webRoot = parts.ownWebRoot
  }

  static async start(changes: Partial<HttpDeps> = {}): Promise<HttpWorld> {
    const engine = await EngineWorld.start()
    const logged: string[] = []
    const log = createLog({ level: 'debug', to: { write: (line) => logged.push(line) } })
    const backplane = new MemoryBackplane(log)
    const metrics = createMetrics({ clock: engine.clock })
    const { clock, store, directory, keys } = engine
    const hub = new Hub({ clock, log, metrics, backplane })
    // Wired as in main: every commit is announced with its events, topic by topic.
    engine.engine.writer.onCommit(({ events }) => {
      for (const hint of hintsOf(events)) backplane.announce(hint)
    })
    const ownWebRoot = changes.webRoot === undefined ? await makeWebRoot() : null
    const webRoot = changes.webRoot ?? ownWebRoot ?? ''
    const deps: HttpDeps = {
      ...{ clock, log, metrics, store, directory, keys, backplane, hub },
      proveWrites: engine.proveWrites,
      payments: engine.engine.payments,
      chains: {
        ...{ policy, assets: engine.assets, facts, kinds },
        onSight: (listener) => engine.engine.watcher.onSight(listener),
        headOf: (chain) => engine.engine.watcher.headOf(chain),
        paceOf: (chain) => engine.engine.watcher.paceOf(chain),
        health: () => engine.engine.watcher.chains(),
        visibility: (payment) => engine.engine.watcher.visibility(payment),
        explorerUrl: () => null,
      },
      secrets: {
        pepper: new Uint8Array(32).fill(1),
        clientSecret: new Uint8Array(32).fill(2),
        checkout: new Uint8Array(32).fill(3),
      },
      ...{ host: '127.0.0.1', port: 0, heartbeatMs: 15_000, shutdownMs: 5_000, edge: edgeLimits },
      publicUrl: (port) => `http://127.0.0.1:${port}`,
      sandbox: true,
      ...changes,
      webRoot,
    }
    const server = await createServer(deps)
    // Not PUBLIC_URL, which is used in links: a test may have changed it.
    const url = `http://127.0.0.1:${(await server.listen()).port}`
    const secretKey = await addKey(deps, engine, { merchantId: merchant.merchantId })
    return new HttpWorld({ engine, server, url, deps, backplane, logged, secretKey, ownWebRoot })
  }

  /** From here on every read of a merchant fails. */
  breakMerchants(): void {
    this.engine.directory.merchant = async () => {
      throw new Error('the disk is on fire')
    }
  }

  /** Adds another key. */
  addKey(key: KeyTerms): Promise<string> {
    return addKey(this.#deps, this.engine, key)
  }

  /** The id of a key that was added. */
  async idOf(key: string): Promise<string> {
    const found = await this.engine.keys.byHash(hashKey(this.#deps.secrets.pepper, key))
    if (found === null) throw new Error('unknown key')
    return found.id
  }

  /** A key of the other merchant. */
  strangersKey(): Promise<string> {
    return this.addKey({ merchantId: stranger.merchantId })
  }

  /** Sends a request, by default with the merchant's secret key; `null` sends no key. */
  async ask(path: string, asking: Asking = {}): Promise<Answered> {
    const { body, headers, signal, key = this.secretKey } = asking
    const method = asking.method ?? (body === undefined ? 'GET' : 'POST')
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parse(text) }
  }

  /** Creates a payment of the merchant and returns the answer. */
  async create(changes: object = {}): Promise<Answered['json']> {
    const { json, status, text } = await this.ask('/v1/payment-intents', {
      body: { amount: '150.00', currency: 'USDC', accept: ['USDC.local'], ...changes },
    })
    if (status !== 201) throw new Error(`not created: ${text} ${this.logged.at(-2)}`)
    return json
  }

  /** Pays a payment in a block of its own. */
  async pay(payment: Answered['json'], amount = 150_000_000n): Promise<void> {
    // In the form that the chain's kind stores: the wire shows the capitals of EIP-55.
    const to = payment.accept[0].address.toLowerCase()
    const txHash = `0x${Buffer.from(systemClock.random(32)).toString('hex')}`
    await this.engine.mine([{ txHash, pays: [{ to, amount }] }])
  }

  async close(): Promise<void> {
    await this.server.close()
    await this.backplane.close()
    await this.engine.close()
    if (this.#webRoot !== null) await rm(this.#webRoot, { recursive: true, force: true })
  }
}

export interface KeyTerms {
  readonly merchantId?: string
  readonly livemode?: boolean
  readonly kind?: KeyKind
  readonly scopes?: readonly KeyScope[]
}

async function addKey(deps: HttpDeps, { keys }: EngineWorld, terms: KeyTerms): Promise<string> {
  const { kind = 'secret', livemode = false, scopes = [] } = terms
  const { key, prefix } = mintKey(kind, livemode, systemClock)
  await keys.add(
    {
      id: makeId('key', systemClock.now(), systemClock.random(10)),
      merchantId: terms.merchantId ?? merchant.merchantId,
      ...{ livemode, kind, scopes, prefix, createdAt: deps.clock.now() },
    },
    hashKey(deps.secrets.pepper, key),
  )
  return key
}

async function makeWebRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'settlewire-web-'))
  await mkdir(join(root, 'assets'))
  await writeFile(join(root, 'checkout.html'), pageHtml)
  await writeFile(
    join(root, 'assets/checkout-0a1b2c3d.js'),
    'export const answer = 42\n'.repeat(99),
  )
  await writeFile(join(root, 'assets/plain.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  return root
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every answer is JSON; a test that expects JSON here fails at its own assertion.
    return null
  }
}
