/** What happened, for whoever reads a failing seed, and a number that tells two runs apart. */
export class Trace {
  readonly #lines: string[] = []
  #hash = 0x811c9dc5

  /** Kept and counted. */
  say(at: number, what: string): void {
    const line = `${(at / 1_000).toFixed(2)} ${what}`
    this.#lines.push(line)
    this.count(line)
  }

  /** Counted only. */
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
