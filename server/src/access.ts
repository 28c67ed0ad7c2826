/**
 * Who may ask for what: merchants, their keys, and what is known of whoever sends a request. As
 * `ports.ts`, of which it is the other half: words that adapters are held to.
 */
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment'

// ── who may ask ────────────────────────────────────────────────────────────────────────────────

/** Who is paid. Payments, keys and addresses belong to one, and no other sees them. */
export interface Merchant {
  readonly id: string
  readonly name: string
  /**
   * Watch-only extended public key; deposit addresses are its children. Several merchants may have
   * the same one. Null: cannot take EVM payments.
   */
  readonly xpub: string | null
  readonly createdAt: Instant
}

/** What a key is for: a back end, a part of one, or a browser. */
export type KeyKind = 'secret' | 'restricted' | 'publishable'

/** A key without its secret: only an HMAC of it is stored. */
export interface ApiKey {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly scopes: readonly string[]
  /** The first characters, to tell keys apart on a screen: `sk_test_Ab3d`. */
  readonly prefix: string
  readonly createdAt: Instant
  readonly revokedAt: Instant | null
}

/** Merchants, their keys, and what must be given out once. Fails as `EventStore` does. */
export interface Directory {
  addMerchant(merchant: Merchant): Promise<void>
  merchant(id: string): Promise<Merchant | null>
  addKey(key: ApiKey, hash: Uint8Array): Promise<void>
  /** By HMAC-SHA-256 of the whole key; revoked ones too. Equal work for known and unknown. */
  keyByHash(hash: Uint8Array): Promise<ApiKey | null>
  revokeKey(id: string, at: Instant): Promise<void>
  /**
   * Takes the next `count` address indexes of a key for ever, at once and for this caller alone:
   * `first` and those after it. An index taken is never given again, whichever merchant asks, not
   * after a rollback and not after a restore from a backup. Fewer are given where the key has no
   * more; throws `merchant_cannot_receive` when it has none.
   */
  takeDepositIndexes(xpub: string, count: number): Promise<{ first: number; count: number }>
  /** A secret of this installation, made at first use and then the same for ever. */
  secret(name: string, make: () => Uint8Array): Promise<Uint8Array>
}

// ── who asked ──────────────────────────────────────────────────────────────────────────────────

/** What a restricted key may be allowed. A secret key is allowed all of it. */
export const keyScopes = ['payment_intents:read', 'payment_intents:write', 'events:read'] as const
export type KeyScope = (typeof keyScopes)[number]

/** Who a request comes from, after its credential was checked. */
export interface Principal {
  readonly merchantId: string
  readonly livemode: boolean
  /** `client`: the holder of one payment's client secret or checkout cookie. */
  readonly kind: KeyKind | 'client'
  /** Who, as the history names them: the id of the key; `payer` for a client. */
  readonly actor: string
  /** The one payment a client may see; null for keys. */
  readonly paymentId: string | null
}

/** What a credential is read from. */
export interface AskedWith {
  /** Left out: it is taken for a change. */
  readonly method?: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** What a route asks of whoever calls it. `identity` is what a publishable key has, and no more. */
export interface Needs {
  readonly scope: KeyScope | 'identity'
}

/** What a route about one payment asks. */
export interface PaymentNeeds extends Needs {
  readonly paymentId: string
  /** Whether the payment's own client secret or cookie will do instead of a key. */
  readonly client: boolean
}

/** Checks credentials, also for routes that come from outside of http/, such as the sandbox's. */
export interface Gate {
  /** Throws `unauthenticated` or `forbidden`. */
  authenticate(asked: AskedWith, needs: Needs): Promise<Principal>
  /** Throws these, or `not_found`: the same for unknown payments and for those of others. */
  open(asked: AskedWith, needs: PaymentNeeds): Promise<{ principal: Principal; payment: Payment }>
}
