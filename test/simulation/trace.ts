/** A readable record of a world for failing seeds, and a hash that distinguishes two runs. */
export class Trace {
  readonly #lines: string[] = []
  #hash = 0x811c9dc5

  /** Adds a line to the text and to the hash. */
  say(at: number, what: string): void {
    const line = `${(at / 1_000).toFixed(2)} ${what}`
    this.#lines.push(line)
    this.count(line)
  }

  /** Adds to the hash only. */
  count(what: string): void {
    let hash = this.#hash
    for (let i = 0; i < what.length; i++) {
      hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193)
    }
    this.#hash = hash >>> 0
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }

  get text(): string {
    return this.#lines.join('\n')
  }
}
