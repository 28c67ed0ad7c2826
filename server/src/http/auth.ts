import { Failure } from '@settlewire/core/errors'
import { isId } from '@settlewire/core/id'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Status } from '@settlewire/core/payment/status-model'
import type { KeyScope } from '@settlewire/core/scope'
import { claimedPayment, clientSecretOf, hashKey, keyShape, sameSecret } from '../credential.ts'
import type {
  ApiKey,
  AskedWith,
  Gate,
  Keys,
  Needs,
  PaymentNeeds,
  Principal,
} from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/history.ts'
import { refusalOf } from './key-refusal.ts'
import type { KeyUses } from './key-uses.ts'

/** Name of the checkout cookie. Its path is a route of the payment, its value the client secret. */
export const checkoutCookie = 'settlewire_checkout'

/**
 * A client secret expires so long after `monitorUntil` of its payment, unless it is `unsettled`.
 */
const clientGraceMs = 24 * 3_600_000

/** Why a key was refused, so that a person need not guess. No message reveals a valid key. */
const missing = 'The request has no key. Send it as Authorization: Bearer <key>.'
const malformedHeader = 'The Authorization header must have the form: Bearer <key>.'
const malformedKey =
  'Malformed key: keys begin with sk_, rk_ or pk_, then test_ or live_, and 32 letters or digits.'
const unknownKey = 'Unknown key. Does it belong to another installation or another database?'
const unknownSecret = 'Unknown client secret.'

const tokenMax = 256
const cookiesMax = 20

export interface AuthOptions {
  readonly store: Pick<EventStore, 'load'>
  readonly keys: Pick<Keys, 'byHash'>
  readonly uses: Pick<KeyUses, 'note'>
  readonly clock: Pick<Clock, 'now'>
  readonly pepper: Uint8Array
  /** The key from which client secrets are derived. */
  readonly clientSecret: Uint8Array
  /** The origin under which browsers reach this server. */
  readonly origin: () => string
}

/**
 * Authentication and authorization. A payment of another merchant, or of the other mode, is treated
 * like an unknown id: the same answer after the same work.
 */
export class Auth implements Gate {
  readonly #options: AuthOptions

  constructor(options: AuthOptions) {
    this.#options = options
  }

  async authenticate(request: AskedWith, needs: Needs): Promise<Principal> {
    const token = bearerOf(request)
    if (token === null) throw new Failure('unauthenticated', missing)
    if (claimedPayment(token) === null) return this.#key(token, needs)
    // A client secret is only valid on routes about its own payment; this route has no payment.
    await this.#client(token)
    throw new Failure('forbidden', 'A client secret reads its own payment and nothing else.')
  }

  async open(
    request: AskedWith,
    needs: PaymentNeeds,
  ): Promise<{ principal: Principal; payment: Payment }> {
    const bearer = bearerOf(request)
    const token = bearer ?? (needs.allowsClient ? this.#cookie(request, needs.paymentId) : null)
    if (token === null) throw new Failure('unauthenticated', missing)
    if (claimedPayment(token) !== null) {
      const own = await this.#client(token)
      if (!needs.allowsClient) throw new Failure('forbidden', 'A client secret cannot do that.')
      if (own.payment.id !== needs.paymentId) throw new Failure('not_found')
      return own
    }
    const principal = await this.#key(token, needs)
    const payment = await this.#load(needs.paymentId)
    const { merchantId, livemode } = principal
    if (payment?.merchantId !== merchantId || payment.livemode !== livemode) {
      throw new Failure('not_found')
    }
    return { principal, payment }
  }

  /**
   * Browsers send cookies by themselves. So a write needs proof from the browser that one of our
   * pages made the request; a read is refused only if the browser says that another site made it.
   */
  #cookie(request: AskedWith, paymentId: string): string | null {
    const token = cookieOf(request, paymentId)
    if (token === null) return null
    const site = request.headers['sec-fetch-site']
    if (isRead(request.method)) {
      return site === undefined || site === 'same-origin' || site === 'none' ? token : null
    }
    const isOurs = site === undefined ? this.#isOwnOrigin(request) : site === 'same-origin'
    if (!isOurs) throw new Failure('cross_site_write')
    return token
  }

  /** Compares `Origin` with our public origin, or with the host that the request was sent to. */
  #isOwnOrigin({ headers: { origin, host } }: AskedWith): boolean {
    if (typeof origin !== 'string') return false
    return origin === this.#options.origin() || URL.parse(origin)?.host === host
  }

  async #key(token: string, needs: Needs): Promise<Principal> {
    const { keys, pepper, clock, uses } = this.#options
    const shape = keyShape(token)
    if (shape === null) throw new Failure('unauthenticated', malformedKey)
    const key = await keys.byHash(hashKey(pepper, token))
    if (key === null || key.kind !== shape.kind || key.livemode !== shape.livemode) {
      throw new Failure('unauthenticated', unknownKey)
    }
    const refusal = refusalOf(key, clock.now())
    if (refusal !== null) throw new Failure(refusal)
    uses.note(key.id)
    const { scope } = needs
    if (scope !== 'identity' && !hasScope(key, scope)) {
      throw new Failure('scope_missing', `This ${key.kind} key lacks the scope ${scope}.`)
    }
    const { merchantId, livemode, kind, id } = key
    return { merchantId, livemode, kind, actor: id, keyId: id, paymentId: null }
  }

  async #client(secret: string): Promise<{ principal: Principal; payment: Payment }> {
    const id = claimedPayment(secret) ?? ''
    if (!sameSecret(secret, clientSecretOf(this.#options.clientSecret, id))) {
      throw new Failure('unauthenticated', unknownSecret)
    }
    // The secret is genuine, so its payment exists, unless a restored backup lacks it.
    const payment = await this.#load(id)
    if (payment === null) throw new Failure('unauthenticated', unknownSecret)
    const until = clientSecretUntil(payment)
    if (until !== null && until < this.#options.clock.now()) {
      throw new Failure('unauthenticated', 'This client secret expired with its payment.')
    }
    const { merchantId, livemode } = payment
    const principal = {
      merchantId,
      livemode,
      kind: 'client',
      actor: 'payer',
      keyId: null,
      paymentId: id,
    } as const
    return { principal, payment }
  }

  async #load(id: string): Promise<Payment | null> {
    if (!isId('pi', id)) return null
    const [payment] = await this.#options.store.load(paymentKind, [id])
    return payment ?? null
  }
}

/**
 * In these statuses money is on its way or its fate is not decided, so the payer may keep reading
 * the payment.
 */
const unsettled: ReadonlySet<Status> = new Set([
  'pending_detected',
  'confirming',
  'investigation_required',
])

/** When a payment's client secret stops working; null while the payment is `unsettled`. */
export function clientSecretUntil({ status, terms }: Payment): Instant | null {
  return unsettled.has(status) ? null : terms.monitorUntil + clientGraceMs
}

const hasScope = ({ kind, scopes }: ApiKey, scope: KeyScope): boolean =>
  kind === 'secret' || (kind === 'restricted' && scopes.includes(scope))

const isRead = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD'

function bearerOf({ headers }: AskedWith): string | null {
  const header = headers.authorization
  if (header === undefined) return null
  // A malformed header is refused and never falls back to the cookie.
  const [, token] = /^Bearer +([\x21-\x7e]+)$/i.exec(typeof header === 'string' ? header : '') ?? []
  if (token === undefined || token.length > tokenMax) {
    throw new Failure('unauthenticated', malformedHeader)
  }
  return token
}

/** The cookie of this payment. Browsers may send several with nested paths; others are ignored. */
function cookieOf({ headers }: AskedWith, paymentId: string): string | null {
  const header = headers.cookie
  if (typeof header !== 'string') return null
  for (const pair of header.split(';', cookiesMax)) {
    const [name, value] = pair.trim().split('=', 2)
    if (name !== checkoutCookie || value === undefined || value.length > tokenMax) continue
    if (claimedPayment(value) === paymentId) return value
  }
  return null
}
