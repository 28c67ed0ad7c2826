/** The cells of a small sieve and of the largest one. Between them it grows by 16. */
const cellsMin = 1 << 14
const cellsMax = 1 << 22
/** Fewer cells than this for each address make the sieve grow, so 97 of 100 cells stay empty. */
const cellsPerAddress = 40
/** How many digits are read: 24 bits, of which the lowest ones index the sieve. */
const sieveDigits = 6
const fullCell = 255
/** The shared sieve of books without addresses: most processes have no payments in one mode. */
const nothing = new Uint8Array(cellsMin)

/** The deposit addresses of open payments, shared by all chains of one mode. */
export class AddressBook {
  readonly #payees = new Map<string, string>()

  /**
   * How many addresses end in the digits of a cell. Deposit addresses are hashes, so 100,000 of
   * them leave 97 of 100 cells empty. It has 16 KiB for 409 addresses and 4 MiB for more than
   * 6,553.
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

  /** False when no address of the book ends in the same digits as this text. */
  mayHold(text: string): boolean {
    return this.#sieve[cellOf(text) & (this.#sieve.length - 1)] !== 0
  }

  /** The payment that an address belongs to. */
  payee(address: string): string | null {
    return this.#payees.get(address) ?? null
  }

  add(address: string, paymentId: string): void {
    this.#joined++
    if (!this.#payees.has(address)) {
      this.#makeRoom()
      this.#count(address, 1)
    }
    this.#payees.set(address, paymentId)
  }

  remove(address: string, paymentId: string): void {
    if (this.#payees.get(address) !== paymentId) return
    this.#payees.delete(address)
    this.#count(address, -1)
  }

  /**
   * For one more address: a larger sieve, filled with all addresses, when the present one is too
   * small.
   */
  #makeRoom(): void {
    const cells = this.#sieve.length
    const isSmall = cells < cellsMax && (this.#payees.size + 1) * cellsPerAddress > cells
    if (this.#sieve !== nothing && !isSmall) return
    this.#sieve = new Uint8Array(isSmall ? Math.min(cellsMax, cells * 16) : cells)
    for (const known of this.#payees.keys()) this.#count(known, 1)
  }

  #count(address: string, by: 1 | -1): void {
    const cell = cellOf(address) & (this.#sieve.length - 1)
    const count = this.#sieve[cell] ?? 0
    // A cell that once reached the maximum has lost count, so it stays there.
    if (count < fullCell) this.#sieve[cell] = count + by
  }
}

/** A number from the last digits of a text, in either case; a text without digits has one too. */
function cellOf(text: string): number {
  let cell = 0
  for (let at = text.length - sieveDigits; at < text.length; at++) {
    const code = text.charCodeAt(at)
    // '0'-'9' have their value in the low 4 bits; letters have 1-6 there, and bit 6 set in both
    // cases.
    cell = (cell << 4) | ((code & 15) + (code & 64 ? 9 : 0))
  }
  return cell
}
