import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Acceptance } from '@settlewire/core/payment/payment'
import type { ChainKind } from '../../chain/kind.ts'

type NameSort = 'addresses' | 'transactions'

/** The kinds of chain that this server supports, and the kind of each configured chain. */
export class KindBook {
  readonly #kinds: readonly ChainKind[]
  readonly #byChain: ReadonlyMap<string, ChainKind>
  #derived: { kind: ChainKind; key: string; index: number; address: string } | null = null

  constructor(
    kinds: readonly ChainKind[],
    chains: readonly { readonly name: string; readonly kind: string }[],
  ) {
    this.#kinds = kinds
    this.#byChain = new Map(
      chains.flatMap(({ name, kind }) => {
        const known = kinds.find((one) => one.name === kind)
        return known === undefined ? [] : [[name, known] as const]
      }),
    )
  }

  /** Null for a chain that is not configured here. */
  of(chain: string): ChainKind | null {
    return this.#byChain.get(chain) ?? null
  }

  /**
   * An address as people read it. For a chain no longer configured: as the first kind prints it
   * that can parse it.
   */
  printAddress(chain: string, address: string): string {
    return this.#writerOf(chain, address)?.addresses.print(address) ?? address
  }

  /** The address at one index of a merchant's key. Throws `merchant_cannot_receive`. */
  readonly depositAddress = (key: string, index: number, chain: string): string => {
    const kind = this.of(chain)
    assert(kind !== null, 'deposit addresses are derived for configured chains only')
    // A payment that accepts several chains of one kind asks for the same address once per chain.
    const last = this.#derived
    if (last?.kind === kind && last.key === key && last.index === index) return last.address
    const address = kind.deposits.address(key, index)
    this.#derived = { kind, key, index, address }
    return address
  }

  /** A link for wallets, with the amount in the asset's smallest unit. Null: the kind has none. */
  paymentUri(accept: Acceptance, units: bigint): string | null {
    const kind = this.#writerOf(accept.chain, accept.address)
    return kind?.paymentUri({ ...accept, units }) ?? null
  }

  /** The stored forms of a pasted text, one per kind that accepts it. Throws `invalid_request`. */
  parse(name: NameSort, text: string, pointer: string): readonly string[] {
    return this.#parse(this.#kinds, { name, text, pointer })
  }

  /** As `parse`, for these chains only: by chain, without chains whose kind rejects it. */
  parseOn(
    chains: readonly string[],
    input: { readonly name: NameSort; readonly text: string; readonly pointer: string },
  ): ReadonlyMap<string, string> {
    const kinds = chains.flatMap((chain) => this.of(chain) ?? [])
    this.#parse(kinds, input)
    return new Map(
      chains.flatMap((chain) => {
        const stored = this.of(chain)?.[input.name].parse(input.text) ?? null
        return stored === null ? [] : [[chain, stored] as const]
      }),
    )
  }

  #parse(
    kinds: readonly ChainKind[],
    { name, text, pointer }: { name: NameSort; text: string; pointer: string },
  ): readonly string[] {
    const stored = kinds.flatMap((kind) => kind[name].parse(text) ?? [])
    if (stored.length > 0) return [...new Set(stored)]
    const forms = [...new Set(kinds.map((kind) => kind[name].inWords))].join(', or ')
    const detail = `Must be ${forms || 'an address or transaction hash of a configured chain'}.`
    throw new Failure('invalid_request', detail, { fields: [{ pointer, detail }] })
  }

  #writerOf(chain: string, address: string): ChainKind | null {
    const writes = (kind: ChainKind): boolean => kind.addresses.parse(address) !== null
    return this.of(chain) ?? this.#kinds.find(writes) ?? null
  }
}
