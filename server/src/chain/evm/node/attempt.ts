import { Failure } from '@settlewire/core/errors'
import type { Answer, RpcConnection } from './connection.ts'

/**
 * One try to read something over a connection, which can be given up for a better provider: from
 * then on every question fails at once, and the connection itself lives on.
 */
export class Attempt implements Pick<RpcConnection, 'ask'> {
  readonly #inner: Pick<RpcConnection, 'ask'>
  readonly #givenUp = Promise.withResolvers<never>()

  constructor(inner: Pick<RpcConnection, 'ask'>) {
    this.#inner = inner
    // Nobody may be asking when it is given up.
    this.#givenUp.promise.catch(() => undefined)
  }

  giveUp(): void {
    this.#givenUp.reject(new Failure('chain_unavailable', 'The node is slow and another is there.'))
  }

  ask(method: string, params: readonly unknown[]): Promise<Answer> {
    return Promise.race([this.#inner.ask(method, params), this.#givenUp.promise])
  }
}
