const sieveBits = 22
/** Digits that are read: 24 bits, of which the lowest go into the sieve. */
const sieveDigits = 6
const fullCell = 255
/** The sieve of a book without addresses: most processes have no payments in one of the modes. */
const nothing = new Uint8Array(1 << sieveBits)

/** The deposit addresses of open payments, and whose they are. All chains of one mode share one. */
export class AddressBook {
  readonly #payees = new Map<string, string>()

  /**
   * How many addresses end alike. Deposit addresses are hashes, so 100,000 of them leave 97 of 100
   * cells empty; it costs 4 MiB of which only what is used is ever touched.
   */
  #sieve = nothing
  #joined = 0

  /** How many addresses have ever been added. */
  get joined(): number {
    return this.#joined
  }

  get size(): number {
    return this.#payees.size
  }

  has(address: string): boolean {
    return this.#payees.has(address)
  }

  /** False when no address of the book ends like this text. */
  mayHold(text: string): boolean {
    return this.#sieve[cellOf(text)] !== 0
  }

  /** The payment that an address belongs to. */
  payee(address: string): string | null {
    return this.#payees.get(address) ?? null
  }

  add(address: string, paymentId: string): void {
    this.#joined++
    if (!this.#payees.has(address)) this.#count(address, 1)
    this.#payees.set(address, paymentId)
  }

  remove(address: string, paymentId: string): void {
    if (this.#payees.get(address) !== paymentId) return
    this.#payees.delete(address)
    this.#count(address, -1)
  }

  #count(address: string, by: 1 | -1): void {
    const cell = cellOf(address)
    if (this.#sieve === nothing) this.#sieve = new Uint8Array(1 << sieveBits)
    const count = this.#sieve[cell] ?? 0
    // A cell that was full once has lost count, and stays.
    if (count < fullCell) this.#sieve[cell] = count + by
  }
}

/** By the last digits of a text, whatever its case; a text without digits has some cell too. */
function cellOf(text: string): number {
  let cell = 0
  for (let at = text.length - sieveDigits; at < text.length; at++) {
    const code = text.charCodeAt(at)
    // '0'-'9' end in their value; letters of either case end in 1-6 and have bit 6 set.
    cell = (cell << 4) | ((code & 15) + (code & 64 ? 9 : 0))
  }
  return cell & ((1 << sieveBits) - 1)
}
