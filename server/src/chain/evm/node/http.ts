import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../../../ports/clock.ts'
import { answerIn, type WireAnswer } from './answer.ts'
import type { ConnectionEnding, ConnectParts, RpcWire } from './connection.ts'
import { parseFrame } from './frame.ts'
import type { FollowerLimits } from './limits.ts'

/** Consecutive failed requests after which the connection counts as lost. */
const lostAfterFailures = 3
const retryAfterMaxMs = 60_000

/**
 * JSON-RPC 2.0 over HTTP, presented as a connection: it counts as lost when requests keep failing,
 * so that the node's chain is checked again. It cannot subscribe; heads are polled.
 */
export class RpcHttp implements RpcWire {
  readonly closed: Promise<ConnectionEnding>

  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #clock: Clock
  readonly #limits: FollowerLimits
  readonly #leaving = new AbortController()
  #failures = 0
  #lastId = 0
  #end: (ending: ConnectionEnding) => void = () => undefined

  private constructor(url: URL, { clock, limits }: ConnectParts) {
    this.#url = new URL(url)
    this.#headers = { 'content-type': 'application/json', ...credentials(this.#url) }
    this.#clock = clock
    this.#limits = limits
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Resolves once the node has answered one question. */
  static async connect(url: string, parts: ConnectParts): Promise<RpcHttp> {
    const { limits, signal } = parts
    if (!URL.canParse(url)) {
      throw new Failure('chain_unavailable', 'Invalid node URL.')
    }
    const within = { ...limits, answerWithinMs: limits.connectWithinMs }
    const probe = new RpcHttp(new URL(url), { ...parts, limits: within })
    const abandon = (): void => probe.drop('left')
    signal.addEventListener('abort', abandon, { once: true })
    try {
      if (signal.aborted) abandon()
      await probe.ask('eth_chainId', [])
    } catch (cause) {
      throw new Failure('chain_unavailable', 'The node cannot be reached.', { cause })
    } finally {
      signal.removeEventListener('abort', abandon)
      probe.drop('left')
    }
    return new RpcHttp(new URL(url), parts)
  }

  get open(): boolean {
    return !this.#leaving.signal.aborted
  }

  async ask(method: string, params: readonly unknown[]): Promise<WireAnswer> {
    if (!this.open) throw gone()
    try {
      const answer = await this.#fetch(method, params)
      this.#failures = 0
      return answer
    } catch (cause) {
      const why = this.open ? `The node did not answer ${method}.` : gone().message
      if (++this.#failures >= lostAfterFailures) this.drop('lost')
      throw new Failure('chain_unavailable', why, { cause: speechless(cause) })
    }
  }

  /** HTTP cannot subscribe. */
  subscribe(): ReturnType<RpcWire['subscribe']> {
    return Promise.resolve({ declined: { kind: 'unsupported', code: 0, message: 'over HTTP' } })
  }

  drop(ending: ConnectionEnding): void {
    if (!this.open) return
    this.#leaving.abort()
    this.#end(ending)
  }

  async #fetch(method: string, params: readonly unknown[]): Promise<WireAnswer> {
    const late = new AbortController()
    const stop = this.#clock.after(this.#limits.answerWithinMs, () => late.abort())
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method, params }),
        // A redirect would send the key to another host.
        redirect: 'error',
        signal: AbortSignal.any([late.signal, this.#leaving.signal]),
      })
      const text = await textOf(response, this.#limits.frameBytesMax)
      const againInMs = retryAfterMs(response.headers.get('retry-after'), this.#clock.now())
      return answerIn(parseFrame(text), { status: response.status, againInMs })
    } finally {
      stop()
    }
  }
}

/** Seconds, or a date. Capped: the value of the header cannot be trusted. */
function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null || header === '') return null
  const seconds = Number(header)
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000
  return waitMs > 0 ? Math.min(waitMs, retryAfterMaxMs) : null
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new Error('The answer exceeds the size limit.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/**
 * Moves a user name and password from the URL into a header, since `fetch` refuses them in a URL.
 */
function credentials(url: URL): Readonly<Record<string, string>> {
  const { username, password } = url
  if (username === '' && password === '') return {}
  url.username = ''
  url.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** The error without its original text: the texts of `fetch` may contain the URL. */
function speechless(cause: unknown): Error {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : ''
  if (inner instanceof Error && /^The (answer|node)/.test(inner.message)) return inner
  return new Error(code === '' && inner instanceof Error ? inner.name : code)
}

const gone = (): Failure => new Failure('chain_unavailable', 'The connection to the node ended.')
