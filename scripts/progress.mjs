/** Says how far a long step is: on a terminal in one line that changes, elsewhere a line now and then. */

const everyMs = 10_000

/**
 * @typedef {{ write(text: string): unknown, isTTY?: boolean }} Output
 */

export class Progress {
  #out
  #now
  #startedAt
  #saidAt
  #isLineOpen = false

  /** @param {Output} out @param {() => number} now */
  constructor(out, now = Date.now) {
    this.#out = out
    this.#now = now
    this.#startedAt = now()
    this.#saidAt = this.#startedAt
  }

  /** How far it is. @param {string} text */
  say(text) {
    const now = this.#now()
    const line = `  ${text}, ${Math.round((now - this.#startedAt) / 1000)} s`
    if (this.#out.isTTY) {
      // Back to the beginning of the line, and what was there is cleared.
      this.#out.write(`\r\x1b[2K${line}`)
      this.#isLineOpen = true
      return
    }
    if (now - this.#saidAt < everyMs) return
    this.#saidAt = now
    this.#out.write(`${line}\n`)
  }

  /** Leaves the next line to others. */
  end() {
    if (this.#isLineOpen) this.#out.write('\r\x1b[2K')
    this.#isLineOpen = false
  }
}
