import { Failure } from '@settlewire/core/errors'
import type { Stop } from '../../ports.ts'
import type { Answer, Ending, RpcConnection } from './connection.ts'

/**
 * One try to read something over a connection, which can be given up for a better provider: from
 * then on every question fails at once, and the connection itself lives on.
 */
export class Attempt implements RpcConnection {
  readonly #inner: RpcConnection
  readonly #givenUp = Promise.withResolvers<never>()

  constructor(inner: RpcConnection) {
    this.#inner = inner
    // Nobody may be asking when it is given up.
    this.#givenUp.promise.catch(() => undefined)
  }

  get closed(): Promise<Ending> {
    return this.#inner.closed
  }

  get open(): boolean {
    return this.#inner.open
  }

  giveUp(): void {
    this.#givenUp.reject(new Failure('chain_unavailable', 'The node is slow and another is there.'))
  }

  ask(method: string, params: readonly unknown[]): Promise<Answer> {
    return Promise.race([this.#inner.ask(method, params), this.#givenUp.promise])
  }

  subscribe(params: readonly unknown[], listener: (result: unknown) => void): Promise<Stop | null> {
    return this.#inner.subscribe(params, listener)
  }

  drop(ending: Ending): void {
    this.#inner.drop(ending)
  }
}
