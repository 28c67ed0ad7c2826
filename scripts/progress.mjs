/** Shows the progress of a long step: on a terminal in one line, elsewhere a line every 10 s. */

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

  /** Shows the progress. @param {string} text */
  say(text) {
    const now = this.#now()
    const line = `  ${text}, ${Math.round((now - this.#startedAt) / 1000)} s`
    if (this.#out.isTTY) {
      // Returns to the start of the line and clears it.
      this.#out.write(`\r\x1b[2K${line}`)
      this.#isLineOpen = true
      return
    }
    if (now - this.#saidAt < everyMs) return
    this.#saidAt = now
    this.#out.write(`${line}\n`)
  }

  /** Clears the progress line for the output that follows. */
  end() {
    if (this.#isLineOpen) this.#out.write('\r\x1b[2K')
    this.#isLineOpen = false
  }
}
