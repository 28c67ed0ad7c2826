// @ts-check
/**
 * Follows the stream of one payment for the lab, by the rules of the SDK and the checkout page: a
 * connection is live only while bytes arrive and every chain can be seen. It is served as it stands,
 * so it uses nothing that the oldest supported browsers lack.
 */

/** The longest silence of a stream, as in the SDK's `watch`: heartbeats come every 15 s. */
const silenceMs = 22_000
const connectMsMax = 10_000
const retryMs = 1_000
const tickMs = 1_000

/** Codes that end the following: with this secret, the stream is refused permanently. */
const refusals = [401, 403, 404]

/**
 * The state of the connection: `live` and `unseen` are connected, with all chains seen or not;
 * `checking`: connected, and how well the chains are seen is not known yet.
 * @typedef {'checking' | 'live' | 'unseen' | 'lost' | 'ended' | 'refused'} LineState
 */

/**
 * The clock of this device. `every` returns a function that stops it.
 * @typedef {object} LabClock
 * @property {() => number} now
 * @property {(ms: number, call: () => void) => () => void} every
 * @property {(ms: number) => Promise<void>} sleep
 */

/** The stream of one payment, with reconnects. Calls `moved` at each event and heartbeat. */
export class PaymentStream {
  #path
  #secret
  /** @type {(state: LineState) => void} */
  #tell
  /** @type {() => void} */
  #moved
  /** @type {LabClock} */
  #clock
  #lastId = ''
  /** When the last byte arrived, or by when an answer is due. */
  #quietFrom = 0
  #quietMsMax = connectMsMax
  #isOpen = false
  /** By the stream's last heartbeat on this connection; empty before. @type {string} */
  #sight = ''
  /** By the page's last refresh since this connection opened; empty before. @type {string} */
  #readSight = ''
  #openedAt = 0
  /** @type {AbortController | null} */
  #attempt = null

  /**
   * @param {{ payment: string, secret: string }} access
   * @param {{ tell: (state: LineState) => void, moved: () => void }} listener
   * @param {LabClock} clock
   */
  constructor({ payment, secret }, { tell, moved }, clock) {
    this.#clock = clock
    this.#path = `/v1/payment-intents/${payment}/stream?until=final`
    this.#secret = secret
    this.#tell = tell
    this.#moved = moved
  }

  /** Follows until the server has no more events. Never rejects. */
  async follow() {
    const rest = this.#clock.every(tickMs, () => this.#look())
    const cut = () => this.#cut()
    addEventListener('offline', cut)
    for (;;) {
      const end = await this.#connect()
      this.#isOpen = false
      this.#tell(end)
      if (end !== 'lost') break
      await this.#clock.sleep(retryMs)
    }
    rest()
    removeEventListener('offline', cut)
  }

  /**
   * How well the chains were seen when the server answered a question of the page.
   * @param {{ askedAt: number, sight: string }} report
   */
  report({ askedAt, sight }) {
    // An answer to a question from before this connection may be outdated.
    if (!this.#isOpen || askedAt < this.#openedAt) return
    this.#readSight = sight
    this.#say()
  }

  /** One connection, to its end. @returns {Promise<'lost' | 'ended' | 'refused'>} */
  async #connect() {
    this.#attempt = new AbortController()
    this.#due(connectMsMax)
    try {
      const headers = new Headers({
        authorization: `Bearer ${this.#secret}`,
        accept: 'text/event-stream',
      })
      if (this.#lastId !== '') headers.set('last-event-id', this.#lastId)
      const { signal } = this.#attempt
      const answer = await fetch(this.#path, { headers, signal, cache: 'no-store' })
      if (answer.status === 204) return 'ended'
      if (refusals.includes(answer.status)) return 'refused'
      if (answer.ok && answer.body !== null) await this.#read(answer.body)
    } catch {
      // The connection was lost or was cut after a silence: continue after the last event.
    } finally {
      this.#cut()
    }
    return 'lost'
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #read(body) {
    const reader = body.getReader()
    const decoder = new TextDecoder()
    let rest = ''
    this.#isOpen = true
    this.#openedAt = this.#clock.now()
    this.#sight = ''
    this.#readSight = ''
    this.#due(silenceMs)
    this.#say()
    this.#moved()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      this.#due(silenceMs)
      const frames = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
      rest = frames.pop() ?? ''
      for (const frame of frames) this.#take(frame)
    }
  }

  /** @param {string} frame */
  #take(frame) {
    const [, id = ''] = /^id: ?(.*)$/m.exec(frame) ?? []
    if (id !== '') this.#lastId = id
    if (/^event: ?reset$/m.test(frame)) this.#lastId = ''
    const isHeartbeat = /^event: ?heartbeat$/m.test(frame)
    if (isHeartbeat) {
      const [, data = '{}'] = /^data: ?(.*)$/m.exec(frame) ?? []
      this.#sight = String(JSON.parse(data).visibility)
      this.#say()
    }
    if (isHeartbeat || id !== '') this.#moved()
  }

  /** Both reports must be good, as either may be the later one. */
  #say() {
    const sights = [this.#sight, this.#readSight].filter((one) => one !== '')
    if (sights.some((one) => one !== 'ok')) this.#tell('unseen')
    else this.#tell(this.#readSight === '' ? 'checking' : 'live')
  }

  /** @param {number} withinMs */
  #due(withinMs) {
    this.#quietFrom = this.#clock.now()
    this.#quietMsMax = withinMs
  }

  /** Reads the clock each second: one long timer would stand still while the device sleeps. */
  #look() {
    if (this.#clock.now() - this.#quietFrom > this.#quietMsMax) this.#cut()
  }

  #cut() {
    if (this.#attempt !== null) this.#attempt.abort()
    this.#attempt = null
  }
}
