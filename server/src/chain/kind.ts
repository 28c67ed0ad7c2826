import type { TransferPart } from '@settlewire/core/payment/observation'
import type { Acceptance, ChainId } from '@settlewire/core/payment/payment'

/** What chains of one kind can show. The follower waits for and reports nothing else. */
export interface Capabilities {
  /** Whether a transaction can be seen before a block holds it. */
  readonly mempool: boolean
  /** Whether another transaction of the same sender can replace a pending one. */
  readonly replacement: boolean
  /** Whether a block can leave the chain after the follower reported it. */
  readonly reorg: boolean
  /** The finality tags that nodes report, beside the count of confirmations. */
  readonly tags: readonly ('safe' | 'finalized')[]
}

/** How an address or a transaction hash of the chain is written. */
export interface Notation {
  /** In words, for an error message: `a transaction hash: 0x and 64 digits`. */
  readonly inWords: string
  readonly example: string
  /** The one form that is stored and compared. Null when the text is invalid. */
  parse(text: string): string | null
  /** Converts the stored form to the form that people read. */
  print(stored: string): string
}

/** Derives watch-only addresses from a merchant's public key. Throws `merchant_cannot_receive`. */
export interface Deposits {
  /** The address of one deposit index, in its stored form. */
  address(key: string, index: number): string
}

/** The payment that a payment link asks a wallet to send. */
export interface PaymentLinkRequest
  extends Pick<Acceptance, 'chain' | 'chainId' | 'address' | 'token'> {
  /** In the asset's smallest unit. */
  readonly units: bigint
}

/**
 * What differs between one kind of chain and another, apart from the follower: the form of
 * addresses and hashes, deposit addresses, payment links, and what can be seen. Pure. The engine
 * and the core know a kind of chain only by this; `chain/contract.ts` tests each kind's follower
 * against it.
 */
export interface ChainKind {
  /** The name of the kind in the configuration: `evm`. */
  readonly name: string
  readonly can: Capabilities
  readonly addresses: Notation
  readonly transactions: Notation
  readonly deposits: Deposits
  /**
   * Whether this is a valid name for one movement of a transaction. Chain, transaction and part
   * together identify a transfer permanently.
   */
  isPart(part: TransferPart): boolean
  /** A link that wallets open, in the kind's standard form. Null when there is no standard. */
  paymentUri(request: PaymentLinkRequest): string | null
}

/** How the nodes of a chain answered when asked to confirm its configuration. */
export type ChainAnswer =
  /** No node could be reached, or none gave a usable answer. */
  | { readonly kind: 'unreachable' }
  /** Every node that gave a usable answer is on another chain. */
  | { readonly kind: 'other_chain'; readonly chainId: ChainId }
  /**
   * What contradicts the configuration, as a sentence per token address. A token that is not in the
   * map matches its configuration.
   */
  | { readonly kind: 'answered'; readonly contradictions: ReadonlyMap<string, string> }
