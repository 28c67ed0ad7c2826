/** Access: merchants, their keys, and the authenticated sender of a request. */
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { KeyScope } from '@settlewire/core/scope'

// ── merchants and keys ─────────────────────────────────────────────────────────────────────────

/** A merchant to register. */
export interface NewMerchant {
  readonly id: string
  readonly name: string
  /**
   * Watch-only extended public key; deposit addresses are derived from it. Several merchants may
   * have the same one. Null: cannot take EVM payments.
   */
  readonly xpub: string | null
  /** Whether it may have live keys: its xpub was checked for real money. Default: false. */
  readonly takesLive?: boolean
  readonly createdAt: Instant
}

/** Who is paid. Payments, keys and addresses belong to one merchant; no other sees them. */
export interface Merchant extends Required<NewMerchant> {
  /** Since when its keys are refused; null: they are not. Its payments continue. */
  readonly disabledAt: Instant | null
}

/** What a key is for: a back end (`secret`), a part of one (`restricted`), or a browser. */
export type KeyKind = 'secret' | 'restricted' | 'publishable'

/** A key to store, without its secret: only an HMAC of that is stored. */
export interface NewKey {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly scopes: readonly string[]
  /** A name for people. Default: empty. */
  readonly name?: string
  /** The first characters, to tell keys apart on a screen: `sk_test_Ab3d`. */
  readonly prefix: string
  readonly createdAt: Instant
}

/** Whether a key is accepted: revocation and expiry of the key, and the state of its merchant. */
export interface KeyStanding {
  /** The key is refused as soon as this is set, whatever the clock of the checking process says. */
  readonly revokedAt: Instant | null
  /** The key is refused from then on, because a new key replaced it. */
  readonly expiresAt: Instant | null
  readonly merchantDisabledAt: Instant | null
}

/** A key as it is stored. */
export interface ApiKey extends Required<NewKey>, KeyStanding {
  /** Accurate to about a minute; null before the first use. */
  readonly lastUsedAt: Instant | null
  /** The id of the key that replaced it. */
  readonly replacedBy: string | null
}

/** Which keys to list: those after an id, in id order, at most `limit`. */
export interface KeyQuery {
  /** Null: of all merchants. */
  readonly merchantId: string | null
  readonly after: string
  readonly limit: number
}

/** A key that replaces another. */
export interface KeyReplacement {
  readonly id: string
  readonly prefix: string
  readonly hash: Uint8Array
  readonly at: Instant
  /** Until when both keys work; null: the old key is revoked at once. */
  readonly until: Instant | null
}

/** Keys. A committed change applies to every process at once. Fails as `EventStore` does. */
export interface Keys {
  add(key: NewKey, hash: Uint8Array): Promise<void>
  /**
   * By HMAC-SHA-256 of the whole key, including keys that are no longer accepted. Takes the same
   * work for known and unknown keys.
   */
  byHash(hash: Uint8Array): Promise<ApiKey | null>
  find(id: string): Promise<ApiKey | null>
  /** False for an unknown key. */
  rename(id: string, name: string): Promise<boolean>
  list(query: KeyQuery): Promise<readonly ApiKey[]>
  /**
   * Creates a key with the kind, scopes, name, mode and merchant of key `id`, which it replaces.
   * False, with no change, when key `id` is unknown, no longer accepted, or already replaced.
   */
  replace(id: string, by: KeyReplacement): Promise<boolean>
  /** False for an unknown key. Revoking again keeps the first time. */
  revoke(id: string, at: Instant): Promise<boolean>
  /** For each of these keys that exists. */
  standings(ids: readonly string[]): Promise<ReadonlyMap<string, KeyStanding>>
  /** Stores when keys were last used. A time older than the stored one is ignored. */
  noteUses(uses: ReadonlyMap<string, Instant>): Promise<void>
}

/** Merchants, and values that must be given out only once. Fails as `EventStore` does. */
export interface Directory {
  addMerchant(merchant: NewMerchant): Promise<void>
  /** Registers a merchant with its first key, or neither of them. `hash` as in `Keys.add`. */
  addMerchantWithKey(merchant: NewMerchant, key: NewKey, hash: Uint8Array): Promise<void>
  merchant(id: string): Promise<Merchant | null>
  /** Merchants after an id, in id order, at most `limit`. */
  merchants(after: string, limit: number): Promise<readonly Merchant[]>
  /** False for an unknown merchant. */
  renameMerchant(id: string, name: string): Promise<boolean>
  /** Disables from `at`, unless disabled already; null enables. False for an unknown merchant. */
  disableMerchant(id: string, at: Instant | null): Promise<boolean>
  /**
   * Takes the next `count` address indexes of an xpub permanently, for this caller alone, from
   * `first` on. The store never gives a taken index again: not to any merchant, not after a
   * rollback, not after a restore from a backup (except a disk snapshot that is restored without a
   * new timeline). Returns fewer when the xpub has fewer left; throws `merchant_cannot_receive`
   * when it has no index left.
   */
  takeDepositIndexes(xpub: string, count: number): Promise<{ first: number; count: number }>
  /** A secret of this installation, made at first use and the same ever after. */
  secret(name: string, make: () => Uint8Array): Promise<Uint8Array>
}

// ── the sender of a request ────────────────────────────────────────────────────────────────────

/** The sender of a request, after the gate has checked its credential. */
export interface Principal {
  readonly merchantId: string
  readonly livemode: boolean
  /** `client`: the holder of one payment's client secret or checkout cookie. */
  readonly kind: KeyKind | 'client'
  /** The name of the sender in the history: the id of the key; `payer` for a client. */
  readonly actor: string
  /** The key that was sent; null for clients. */
  readonly keyId: string | null
  /** The one payment a client may see; null for keys. */
  readonly paymentId: string | null
}

/** The parts of a request that a credential is read from. */
export interface AskedWith {
  /** Left out: treated as a method that changes something. */
  readonly method?: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** What a route requires of its caller. `identity` is all that a publishable key has. */
export interface Needs {
  readonly scope: KeyScope | 'identity'
}

/** What a route about one payment requires of its caller. */
export interface PaymentNeeds extends Needs {
  readonly paymentId: string
  /** Whether the payment's own client secret or cookie is accepted instead of a key. */
  readonly allowsClient: boolean
}

/** Checks credentials, including for routes outside http/, such as the sandbox's. */
export interface Gate {
  /**
   * Throws `unauthenticated`, `scope_missing`, `forbidden`, or why the key is no longer accepted
   * (`key_revoked`, `key_expired`, `merchant_disabled`).
   */
  authenticate(asked: AskedWith, needs: Needs): Promise<Principal>
  /** Throws as `authenticate` does; `not_found` also for a payment of another merchant. */
  open(asked: AskedWith, needs: PaymentNeeds): Promise<{ principal: Principal; payment: Payment }>
}
