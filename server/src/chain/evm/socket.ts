import { Failure } from '@settlewire/core/errors'
import { WebSocket } from 'ws'
import type { Clock, Stop } from '../../ports.ts'
import type { Answer, Ending, Listener, RpcConnection, Skim } from './connection.ts'
import { parseFrame } from './frame.ts'
import { fieldsOf } from './hex.ts'
import type { Limits } from './limits.ts'

interface Question {
  readonly method: string
  readonly params: readonly unknown[]
  readonly settle: (answer: Answer) => void
  readonly fail: (failure: Failure) => void
  /** For subscriptions: who hears what the node sends under the id it answers. */
  readonly listener: Listener | null
}

/**
 * One connection to a node: JSON-RPC 2.0 over WebSocket. Questions have a deadline and wait in a
 * bounded line; a ping that is not answered ends it. It never reconnects: a new connection may be
 * another node, and must be asked who it is before it is believed.
 */
export class RpcSocket implements RpcConnection {
  /** Resolves, never rejects, when the connection is over. */
  readonly closed: Promise<Ending>

  readonly #ws: WebSocket
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #inFlight = new Map<number, Question & { readonly late: Stop }>()
  readonly #waiting: Question[] = []
  readonly #listeners = new Map<string, Listener>()
  /** By how the notifications of their subscription begin. */
  readonly #skims = new Map<string, Skim>()
  #asked = 0
  #ending: Ending | null = null
  #heard = false
  #nextPing: Stop = () => undefined
  #end: (ending: Ending) => void = () => undefined

  private constructor(ws: WebSocket, clock: Clock, limits: Limits) {
    this.#ws = ws
    this.#clock = clock
    this.#limits = limits
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    ws.on('message', (data) => this.#hear(data.toString()))
    ws.on('pong', () => {
      this.#heard = true
    })
    ws.on('close', () => this.#finish('lost'))
    this.#schedulePing()
  }

  /** Opens a connection. Rejects with `chain_unavailable`, which never names the url: it may hold a key. */
  static connect(
    url: string,
    { clock, limits, signal }: { clock: Clock; limits: Limits; signal: AbortSignal },
  ): Promise<RpcSocket> {
    return new Promise((resolve, reject) => {
      // The library's own error would repeat the text.
      if (!URL.canParse(url)) {
        throw new Failure('chain_unavailable', 'The url of the node is not one.')
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
      // What goes wrong later shows as the close that always follows.
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

  /** Rejects with `chain_unavailable` when the connection ends, the deadline passes, or too many wait. */
  ask(method: string, params: readonly unknown[]): Promise<Answer> {
    return this.#enqueue(method, params, null)
  }

  /**
   * Subscribes for the life of this connection. The listener is in place before the next frame is
   * read, so that a notification right behind the answer is not lost; it must not throw. Resolves
   * to the way to stop it, or to null when the node refuses.
   */
  async subscribe(
    params: readonly unknown[],
    listener: Listener,
    isForNobody?: Skim,
  ): Promise<Stop | null> {
    const answer = await this.#enqueue('eth_subscribe', params, listener)
    if ('refused' in answer || typeof answer.result !== 'string') return null
    const id = answer.result
    if (isForNobody !== undefined) this.#skims.set(beginningOf(id), isForNobody)
    return () => {
      this.#skims.delete(beginningOf(id))
      if (!this.#listeners.delete(id)) return
      // Whether the node still knew it does not matter: nobody listens any more.
      this.ask('eth_unsubscribe', [id]).catch(() => undefined)
    }
  }

  /** Ends the connection at once. */
  drop(ending: Ending): void {
    this.#finish(ending)
  }

  #enqueue(
    method: string,
    params: readonly unknown[],
    listener: Question['listener'],
  ): Promise<Answer> {
    return new Promise((settle, fail) => {
      const question: Question = { method, params, settle, fail, listener }
      if (this.#ending !== null) fail(gone())
      else if (this.#inFlight.size < this.#limits.inFlightMax) this.#send(question)
      else if (this.#waiting.length < this.#limits.waitingMax) this.#waiting.push(question)
      else fail(new Failure('chain_unavailable', 'Too many questions wait for the node.'))
    })
  }

  #send(question: Question): void {
    const id = ++this.#asked
    const late = this.#clock.after(this.#limits.answerWithinMs, () => {
      this.#inFlight.delete(id)
      question.fail(
        new Failure('chain_unavailable', `The node did not answer ${question.method} in time.`),
      )
      this.#sendNext()
    })
    this.#inFlight.set(id, { ...question, late })
    this.#ws.send(
      JSON.stringify({ jsonrpc: '2.0', id, method: question.method, params: question.params }),
    )
  }

  #sendNext(): void {
    const next = this.#waiting.shift()
    if (next !== undefined && this.#ending === null) this.#send(next)
  }

  #hear(text: string): void {
    this.#heard = true
    for (const [beginning, isForNobody] of this.#skims) {
      if (text.startsWith(beginning) && isForNobody(text)) return
    }
    const frame = parseFrame(text)
    if (frame === null) this.#finish('broken_frame')
    else if (frame.method === 'eth_subscription') this.#notify(frame.params)
    else if (typeof frame.id === 'number') this.#answer(frame.id, frame)
  }

  #notify(params: unknown): void {
    const told = fieldsOf(params)
    if (told === null || typeof told.subscription !== 'string') return
    this.#listeners.get(told.subscription)?.(told.result)
  }

  #answer(id: number, frame: Readonly<Record<string, unknown>>): void {
    const question = this.#inFlight.get(id)
    // An answer after its deadline: the one who asked has given up.
    if (question === undefined) return
    this.#inFlight.delete(id)
    question.late()
    const error = fieldsOf(frame.error)
    if (error !== null) {
      const code = typeof error.code === 'number' ? error.code : 0
      question.settle({ refused: { code, message: String(error.message).slice(0, 200) } })
    } else {
      if (question.listener !== null && typeof frame.result === 'string') {
        this.#listeners.set(frame.result, question.listener)
      }
      question.settle({ result: frame.result ?? null })
    }
    this.#sendNext()
  }

  #schedulePing(): void {
    this.#nextPing = this.#clock.after(this.#limits.pingEveryMs, () => {
      this.#heard = false
      this.#ws.ping()
      this.#nextPing = this.#clock.after(this.#limits.pongWithinMs, () => {
        // Anything heard since proves life: a pong may queue behind a large answer.
        if (this.#heard) this.#schedulePing()
        else this.#finish('silent')
      })
    })
  }

  #finish(ending: Ending): void {
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
    for (const question of this.#waiting) question.fail(gone())
    this.#inFlight.clear()
    this.#waiting.length = 0
    this.#end(ending)
  }
}

/** As most nodes write a notification. What begins in another way is parsed. */
const beginningOf = (subscription: string): string =>
  `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${subscription}","result":{`

const gone = (): Failure => new Failure('chain_unavailable', 'The connection to the node ended.')
