import { Failure } from '@settlewire/core/errors'
import type { Clock, Stop } from '../../ports.ts'
import type { Answer, ConnectParts, Ending, RpcConnection } from './connection.ts'
import { parseFrame } from './frame.ts'
import { fieldsOf } from './hex.ts'
import type { Limits } from './limits.ts'

interface Question {
  readonly method: string
  readonly params: readonly unknown[]
  readonly settle: (answer: Answer) => void
  readonly fail: (failure: Failure) => void
}

/** Requests that fail one after the other before the node counts as lost. */
const lostAfterFailures = 3

/**
 * JSON-RPC 2.0 over HTTP, as if it were a connection: it counts as lost when nothing gets through
 * any more, so that the node is asked again who it is. It cannot subscribe; heads are asked for.
 */
export class RpcHttp implements RpcConnection {
  readonly closed: Promise<Ending>

  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #waiting: Question[] = []
  readonly #leaving = new AbortController()
  #inFlight = 0
  #failures = 0
  #asked = 0
  #end: (ending: Ending) => void = () => undefined

  private constructor(url: URL, { clock, limits }: ConnectParts) {
    this.#url = new URL(url)
    this.#headers = { 'content-type': 'application/json', ...credentials(this.#url) }
    this.#clock = clock
    this.#limits = limits
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Resolves once the node has answered something. */
  static async connect(url: string, parts: ConnectParts): Promise<RpcHttp> {
    const { limits, signal } = parts
    if (!URL.canParse(url)) {
      throw new Failure('chain_unavailable', 'The url of the node is not one.')
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

  ask(method: string, params: readonly unknown[]): Promise<Answer> {
    return new Promise((settle, fail) => {
      const question = { method, params, settle, fail }
      if (!this.open) fail(gone())
      else if (this.#inFlight < this.#limits.inFlightMax) void this.#run(question)
      else if (this.#waiting.length < this.#limits.waitingMax) this.#waiting.push(question)
      else fail(new Failure('chain_unavailable', 'Too many questions wait for the node.'))
    })
  }

  /** The wire cannot. */
  subscribe(): Promise<Stop | null> {
    return Promise.resolve(null)
  }

  drop(ending: Ending): void {
    if (!this.open) return
    this.#leaving.abort()
    for (const question of this.#waiting.splice(0)) question.fail(gone())
    this.#end(ending)
  }

  /** Never rejects. Asks this, and then whatever waits. */
  async #run(first: Question): Promise<void> {
    this.#inFlight++
    for (let next: Question | undefined = first; next !== undefined; next = this.#waiting.shift()) {
      try {
        next.settle(await this.#fetch(next))
        this.#failures = 0
      } catch (cause) {
        const why = this.open ? `The node did not answer ${next.method}.` : gone().message
        next.fail(new Failure('chain_unavailable', why, { cause: speechless(cause) }))
        if (++this.#failures >= lostAfterFailures) this.drop('lost')
      }
    }
    this.#inFlight--
  }

  async #fetch({ method, params }: Question): Promise<Answer> {
    const late = new AbortController()
    const stop = this.#clock.after(this.#limits.answerWithinMs, () => late.abort())
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#asked, method, params }),
        // A redirect would carry the key to somebody else.
        redirect: 'error',
        signal: AbortSignal.any([late.signal, this.#leaving.signal]),
      })
      const text = await textOf(response, this.#limits.frameBytesMax)
      return answerOf(response, text)
    } finally {
      stop()
    }
  }
}

/** Nodes send refusals with all kinds of statuses: what counts is whether it is JSON-RPC. */
function answerOf({ status }: Response, text: string): Answer {
  const frame = parseFrame(text)
  // To be turned away for asking too often is no answer to the question.
  if (frame === null || status === 429 || status >= 500) throw new Error(`HTTP status ${status}`)
  const error = fieldsOf(frame.error)
  if (error === null) {
    if (!('result' in frame)) throw new Error(`HTTP status ${status} without a result`)
    return { result: frame.result }
  }
  const code = typeof error.code === 'number' ? error.code : 0
  return { refused: { code, message: String(error.message).slice(0, 200) } }
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new Error('The answer is larger than is taken.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** A name and password in the url become a header, since `fetch` refuses them there. */
function credentials(url: URL): Readonly<Record<string, string>> {
  const { username, password } = url
  if (username === '' && password === '') return {}
  url.username = ''
  url.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** What went wrong, without what it went wrong with: the texts of `fetch` may hold the url. */
function speechless(cause: unknown): Error {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : ''
  if (inner instanceof Error && /^HTTP status|^The answer/.test(inner.message)) return inner
  return new Error(code === '' && inner instanceof Error ? inner.name : code)
}

const gone = (): Failure => new Failure('chain_unavailable', 'The connection to the node ended.')
