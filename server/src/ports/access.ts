/** Who may ask for what: merchants, their keys, and what is known of the sender of a request. */
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { KeyScope } from '@settlewire/core/scope'

// ── who may ask ────────────────────────────────────────────────────────────────────────────────

/** A merchant as it is registered. */
export interface NewMerchant {
  readonly id: string
  readonly name: string
  /**
   * Watch-only extended public key; deposit addresses are its children. Several merchants may have
   * the same one. Null: cannot take EVM payments.
   */
  readonly xpub: string | null
  /** Whether it may have live keys: its xpub was checked for real money. False when left out. */
  readonly takesLive?: boolean
  readonly createdAt: Instant
}

/** Who is paid. Payments, keys and addresses belong to one, and no other sees them. */
export interface Merchant extends Required<NewMerchant> {
  /** Since then its keys open nothing. Its payments go on. */
  readonly disabledAt: Instant | null
}

/** What a key is for: a back end, a part of one, or a browser. */
export type KeyKind = 'secret' | 'restricted' | 'publishable'

/** A key as it is made, without its secret: only an HMAC of it is stored. */
export interface NewKey {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly scopes: readonly string[]
  /** What people call it; empty when left out. */
  readonly name?: string
  /** The first characters, to tell keys apart on a screen: `sk_test_Ab3d`. */
  readonly prefix: string
  readonly createdAt: Instant
}

/** Whether a key opens anything: by what became of it, and of its merchant. */
export interface KeyStanding {
  /** It ended at once, whatever clock the process has that looks at it. */
  readonly revokedAt: Instant | null
  /** It ends then: another took its place. */
  readonly expiresAt: Instant | null
  readonly merchantDisabledAt: Instant | null
}

/** A key as it is stored. */
export interface ApiKey extends Required<NewKey>, KeyStanding {
  /** To about a minute; null before the first time. */
  readonly lastUsedAt: Instant | null
  /** The key that was made in its place. */
  readonly replacedBy: string | null
}

/** Which keys to list: those after an id, in the order of ids, at most so many. */
export interface KeyQuery {
  /** Null: of all merchants. */
  readonly merchantId: string | null
  readonly after: string
  readonly limit: number
}

/** A key in the place of another one. */
export interface Replacement {
  readonly id: string
  readonly prefix: string
  readonly hash: Uint8Array
  readonly at: Instant
  /** How long both work; null: the old one is revoked at once. */
  readonly until: Instant | null
}

/** Keys. A change holds for every process from its commit on. Fails as `EventStore` does. */
export interface Keys {
  add(key: NewKey, hash: Uint8Array): Promise<void>
  /** By HMAC-SHA-256 of the whole key; also those that open nothing any more. Equal work for known and unknown. */
  byHash(hash: Uint8Array): Promise<ApiKey | null>
  find(id: string): Promise<ApiKey | null>
  list(query: KeyQuery): Promise<readonly ApiKey[]>
  /**
   * Makes a key with the kind, scopes, name, mode and merchant of another one, which then ends. False,
   * and nothing is done, when that is not there, opens nothing any more, or has been replaced.
   */
  replace(id: string, by: Replacement): Promise<boolean>
  /** False when there is no such key. The first time counts. */
  revoke(id: string, at: Instant): Promise<boolean>
  /** Of those of these keys that exist. */
  standings(ids: readonly string[]): Promise<ReadonlyMap<string, KeyStanding>>
  /** Notes when keys were last used; what is older than what is noted changes nothing. */
  noteUses(uses: ReadonlyMap<string, Instant>): Promise<void>
}

/** Merchants, and what must be given out once. Fails as `EventStore` does. */
export interface Directory {
  addMerchant(merchant: NewMerchant): Promise<void>
  merchant(id: string): Promise<Merchant | null>
  /** Those after an id, in the order of ids. */
  merchants(after: string, limit: number): Promise<readonly Merchant[]>
  /** False when there is no such merchant. */
  renameMerchant(id: string, name: string): Promise<boolean>
  /** Since when it is disabled, where it is not yet; null enables it. False when there is no such merchant. */
  disableMerchant(id: string, at: Instant | null): Promise<boolean>
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

/** Who a request comes from, after its credential was checked. */
export interface Principal {
  readonly merchantId: string
  readonly livemode: boolean
  /** `client`: the holder of one payment's client secret or checkout cookie. */
  readonly kind: KeyKind | 'client'
  /** Who, as the history names them: the id of the key; `payer` for a client. */
  readonly actor: string
  /** The key that was sent; null for clients. */
  readonly keyId: string | null
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
  /** Throws `unauthenticated`, what became of the key, `scope_missing` or `forbidden`. */
  authenticate(asked: AskedWith, needs: Needs): Promise<Principal>
  /** Throws these, or `not_found`: the same for unknown payments and for those of others. */
  open(asked: AskedWith, needs: PaymentNeeds): Promise<{ principal: Principal; payment: Payment }>
}
