import { Failure } from '@settlewire/core/errors'
import type { RpcAnswer, RpcConnection } from './connection.ts'

/**
 * One try to read something over a connection. It can be given up for a better provider: then open
 * questions and all later ones fail immediately, and the connection itself stays open.
 */
export class ReadAttempt implements Pick<RpcConnection, 'ask'> {
  readonly #inner: Pick<RpcConnection, 'ask'>
  readonly #givenUp = Promise.withResolvers<never>()

  constructor(inner: Pick<RpcConnection, 'ask'>) {
    this.#inner = inner
    // Prevents an unhandled rejection when no question is open as the attempt is given up.
    this.#givenUp.promise.catch(() => undefined)
  }

  giveUp(): void {
    this.#givenUp.reject(
      new Failure('chain_unavailable', 'The node is slow and another one has the data.'),
    )
  }

  ask(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    return Promise.race([this.#inner.ask(method, params), this.#givenUp.promise])
  }
}
