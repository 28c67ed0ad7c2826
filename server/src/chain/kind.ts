import type { Part } from '@settlewire/core/payment/observation'
import type { Acceptance, ChainId } from '@settlewire/core/payment/payment'

/** What chains of one kind can show. What a kind cannot show is never waited for, and never claimed. */
export interface Capabilities {
  /** Whether a transaction can be seen before a block holds it. */
  readonly mempool: boolean
  /** Whether a pending transaction can give way to another of its sender. */
  readonly replacement: boolean
  /** Whether a block that was told can leave the chain again. */
  readonly reorg: boolean
  /** The levels of certainty that nodes name themselves, beside the count of blocks. */
  readonly tags: readonly ('safe' | 'finalized')[]
}

/** How a name of the chain is written. */
export interface Notation {
  /** In words, for a person who wrote it wrongly: `a transaction hash: 0x and 64 digits`. */
  readonly inWords: string
  readonly example: string
  /** The one form that is stored and compared. Null when the text is no such name. */
  parse(text: string): string | null
  /** The form that people read, of a stored one. */
  print(stored: string): string
}

/** Watch-only addresses out of a merchant's public key. Throws `merchant_cannot_receive`. */
export interface Deposits {
  /** The address of one index, in its stored form. */
  address(key: string, index: number): string
}

/** What a wallet is asked to send. */
export interface PaymentRequest
  extends Pick<Acceptance, 'chain' | 'chainId' | 'address' | 'token'> {
  /** In the asset's smallest unit. */
  readonly units: bigint
}

/**
 * What differs between one kind of chain and another, apart from following it: names, receiving
 * addresses, payment links, and what can be seen at all. Pure. The engine and the core know chains by
 * this alone; `chain/contract.ts` holds each kind's follower to it.
 */
export interface ChainKind {
  /** Stands for it in the configuration: `evm`. */
  readonly name: string
  readonly can: Capabilities
  readonly addresses: Notation
  readonly transactions: Notation
  readonly deposits: Deposits
  /** Whether a movement of a transaction can be named so: with chain and transaction it names a transfer for ever. */
  isPart(part: Part): boolean
  /** A link that wallets open, as the kind's standard writes it. Null where there is none. */
  paymentUri(request: PaymentRequest): string | null
}

/** What the nodes of a chain say of what is held true of it. */
export type ChainAnswer =
  /** No node could be asked. */
  | { readonly kind: 'unreachable' }
  /** Every node that could be asked is on another chain. */
  | { readonly kind: 'other_chain'; readonly chainId: ChainId }
  /** By address, in words: what contradicts the configuration. A token that is not in it is as it should be. */
  | { readonly kind: 'asked'; readonly contradictions: ReadonlyMap<string, string> }
