import { Failure } from '@settlewire/core/errors'
import { WebSocket } from 'ws'
import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import { answerIn, type WireAnswer } from './answer.ts'
import type {
  ConnectionEnding,
  ConnectParts,
  RpcWire,
  Skim,
  SubscriptionListener,
} from './connection.ts'
import { parseFrame } from './frame.ts'
import { fieldsOf } from './hex.ts'
import type { FollowerLimits } from './limits.ts'

interface OpenRequest {
  readonly settle: (answer: WireAnswer) => void
  readonly fail: (failure: unknown) => void
  /** For subscriptions: the listener for notifications under the id in the answer. */
  readonly listener: SubscriptionListener | null
  readonly late: Stop
}

/**
 * One connection to a node: JSON-RPC 2.0 over WebSocket. Questions have a deadline; a ping that is
 * not answered ends the connection.
 */
export class RpcSocket implements RpcWire {
  readonly closed: Promise<ConnectionEnding>

  readonly #ws: WebSocket
  readonly #clock: Clock
  readonly #limits: FollowerLimits
  readonly #inFlight = new Map<number, OpenRequest>()
  readonly #listeners = new Map<string, SubscriptionListener>()
  /** Notifications under an id that no subscription has yet. */
  readonly #early: (readonly [string, unknown])[] = []
  /** By the beginning of the notifications of their subscription. */
  readonly #skims = new Map<string, Skim>()
  /** The id of the last question. */
  #lastId = 0
  #ending: ConnectionEnding | null = null
  /** Whether a message or pong came since the last ping. */
  #isAlive = false
  #nextPing: Stop = () => undefined
  #end: (ending: ConnectionEnding) => void = () => undefined

  private constructor(ws: WebSocket, clock: Clock, limits: FollowerLimits) {
    this.#ws = ws
    this.#clock = clock
    this.#limits = limits
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    ws.on('message', (data) => this.#receive(data.toString()))
    ws.on('pong', () => {
      this.#isAlive = true
    })
    ws.on('close', () => this.#finish('lost'))
    this.#schedulePing()
  }

  /** Rejects with `chain_unavailable`; the error never contains the URL, which may hold a key. */
  static connect(url: string, { clock, limits, signal }: ConnectParts): Promise<RpcSocket> {
    return new Promise((resolve, reject) => {
      // The library's own error would contain the URL.
      if (!URL.canParse(url)) {
        throw new Failure('chain_unavailable', 'Invalid node URL.')
      }
      const ws = new WebSocket(url, {
        handshakeTimeout: limits.connectWithinMs,
        maxPayload: limits.frameBytesMax,
        // Compression costs a context per connection and CPU per message, and nodes seldom speak it.
        perMessageDeflate: false,
        followRedirects: false,
      })
      const abandon = (): void => ws.terminate()
      const refuse = (cause: Error): void => {
        signal.removeEventListener('abort', abandon)
        reject(new Failure('chain_unavailable', 'The node cannot be reached.', { cause }))
      }
      signal.addEventListener('abort', abandon, { once: true })
      // A later error is always followed by `close`, which is handled.
      ws.on('error', () => undefined)
      ws.once('error', refuse)
      ws.once('open', () => {
        signal.removeEventListener('abort', abandon)
        ws.off('error', refuse)
        resolve(new RpcSocket(ws, clock, limits))
      })
      if (signal.aborted) abandon()
    })
  }

  get open(): boolean {
    return this.#ending === null
  }

  ask(method: string, params: readonly unknown[]): Promise<WireAnswer> {
    return this.#send(method, params, null)
  }

  async subscribe(
    params: readonly unknown[],
    listener: SubscriptionListener,
    isIrrelevant?: Skim,
  ): ReturnType<RpcWire['subscribe']> {
    const answer = await this.#send('eth_subscribe', params, listener)
    if (!('result' in answer)) return answer
    const id = answer.result
    if (typeof id !== 'string') {
      return { refused: { code: 0, message: 'no subscription', againInMs: null } }
    }
    if (isIrrelevant !== undefined) this.#skims.set(beginningOf(id), isIrrelevant)
    const result = (): void => {
      this.#skims.delete(beginningOf(id))
      if (!this.#listeners.delete(id)) return
      // The answer does not matter: the listener is already removed.
      this.ask('eth_unsubscribe', [id]).catch(() => undefined)
    }
    return { result }
  }

  drop(ending: ConnectionEnding): void {
    this.#finish(ending)
  }

  #send(
    method: string,
    params: readonly unknown[],
    listener: SubscriptionListener | null,
  ): Promise<WireAnswer> {
    return new Promise((settle, fail) => {
      if (this.#ending !== null) return fail(gone())
      const id = ++this.#lastId
      const late = this.#clock.after(this.#limits.answerWithinMs, () => {
        this.#inFlight.delete(id)
        fail(new Failure('chain_unavailable', `The node did not answer ${method} in time.`))
      })
      this.#inFlight.set(id, { settle, fail, listener, late })
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  }

  #receive(text: string): void {
    this.#isAlive = true
    for (const [beginning, isIrrelevant] of this.#skims) {
      if (text.startsWith(beginning) && isIrrelevant(text)) return
    }
    const frame = parseFrame(text)
    if (frame === null) this.#finish('broken_frame')
    else if (frame.method === 'eth_subscription') this.#notify(frame.params)
    else if (typeof frame.id === 'number') this.#answer(frame.id, frame)
    else if (frame.error !== undefined || frame.message !== undefined) this.#refuseAll()
  }

  /**
   * Handles a refusal that does not say which question it refuses: all open questions count as
   * refused and are asked again. Nothing is lost by that.
   */
  #refuseAll(): void {
    const error = { message: 'an error without an id' }
    for (const id of [...this.#inFlight.keys()]) this.#answer(id, { error })
  }

  #notify(params: unknown): void {
    const notification = fieldsOf(params)
    if (notification === null || typeof notification.subscription !== 'string') return
    const { subscription, result } = notification
    const listener = this.#listeners.get(subscription)
    if (listener !== undefined) listener(result)
    else if (this.#early.length < earlyMax) this.#early.push([subscription, result])
  }

  /** Some nodes send notifications of a subscription before they answer with its id. */
  #listen(id: string, listener: SubscriptionListener): void {
    this.#listeners.set(id, listener)
    for (const [subscription, result] of this.#early.splice(0)) {
      if (subscription === id) listener(result)
      else this.#early.push([subscription, result])
    }
  }

  #answer(id: number, frame: Readonly<Record<string, unknown>>): void {
    const question = this.#inFlight.get(id)
    // The answer came after its deadline: its caller has given up.
    if (question === undefined) return
    this.#inFlight.delete(id)
    question.late()
    try {
      const answer = answerIn(frame)
      const id = 'result' in answer ? answer.result : null
      if (question.listener !== null && typeof id === 'string') this.#listen(id, question.listener)
      question.settle(answer)
    } catch (error) {
      question.fail(error)
    }
  }

  #schedulePing(): void {
    this.#nextPing = this.#clock.after(this.#limits.pingEveryMs, () => {
      this.#isAlive = false
      this.#ws.ping()
      this.#nextPing = this.#clock.after(this.#limits.pongWithinMs, () => {
        // Any message since proves that the node is alive: a pong may wait behind a large answer.
        if (this.#isAlive) this.#schedulePing()
        else this.#finish('silent')
      })
    })
  }

  #finish(ending: ConnectionEnding): void {
    if (this.#ending !== null) return
    this.#ending = ending
    this.#nextPing()
    this.#ws.terminate()
    this.#listeners.clear()
    this.#skims.clear()
    for (const question of this.#inFlight.values()) {
      question.late()
      question.fail(gone())
    }
    this.#inFlight.clear()
    this.#end(ending)
  }
}

/** The maximum of notifications kept for subscriptions whose id is not known yet. */
const earlyMax = 64

/** The form of a notification at most nodes. Notifications that begin otherwise are parsed. */
const beginningOf = (subscription: string): string =>
  `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${subscription}","result":{`

const gone = (): Failure => new Failure('chain_unavailable', 'The connection to the node ended.')
