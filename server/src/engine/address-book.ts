/** The deposit addresses of open payments, and whose they are. All chains of one mode share one. */
export class AddressBook {
  readonly #payees = new Map<string, string>()

  get size(): number {
    return this.#payees.size
  }

  has(address: string): boolean {
    return this.#payees.has(address)
  }

  /** The payment that an address belongs to. */
  payee(address: string): string | null {
    return this.#payees.get(address) ?? null
  }

  add(address: string, paymentId: string): void {
    this.#payees.set(address, paymentId)
  }

  remove(address: string, paymentId: string): void {
    if (this.#payees.get(address) === paymentId) this.#payees.delete(address)
  }
}
