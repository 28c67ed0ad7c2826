import type { ClaimAnswer, PolicyAnswer } from '@settlewire/client/answers'
import { paymentPath } from '@settlewire/client/attempt'
import { makeKey } from '@settlewire/client/idempotency-key'
import { type ServerAccess, sendForJson } from '@settlewire/client/request'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

/** The API calls of the page: a small part of `Client`, because every payer loads each byte. */
export class PayerApi {
  readonly #access: ServerAccess
  readonly #id: string

  constructor(access: ServerAccess, id: string) {
    this.#access = access
    this.#id = id
  }

  // The types are the wire contract's: the server's own responses are not validated again here.

  read(signal: AbortSignal): Promise<PaymentIntent> {
    return this.#ask('', signal) as Promise<PaymentIntent>
  }

  policy(signal: AbortSignal): Promise<PolicyAnswer> {
    return this.#ask('/policy', signal) as Promise<PolicyAnswer>
  }

  /** Claims the transaction that pays, so that Settlewire searches for it. */
  claim(txHash: string): Promise<ClaimAnswer> {
    return this.#post(`${paymentPath(this.#id)}/claims`, { txHash }) as Promise<ClaimAnswer>
  }

  /** Test mode: the sandbox wallet sends a real transaction on the local chain. */
  payFromSandbox(asset: string): Promise<unknown> {
    return this.#post(`/v1/test/payment-intents/${encodeURIComponent(this.#id)}/pay`, { asset })
  }

  #ask(part: string, signal: AbortSignal): Promise<unknown> {
    return sendForJson(this.#access, { path: paymentPath(this.#id) + part, signal })
  }

  #post(path: string, body: object): Promise<unknown> {
    const headers = { 'idempotency-key': makeKey() }
    return sendForJson(this.#access, { method: 'POST', path, body, headers })
  }
}
