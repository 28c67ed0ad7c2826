import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports/clock.ts'
import { type Fault, FaultProxy } from './fault-proxy.ts'

/** One provider of the local chain, with its fault. */
export interface SandboxProvider extends Fault {
  readonly name: string
  /** A WebSocket URL. */
  readonly url: string
  readonly connections: number
}

const providerNames = ['anvil-a', 'anvil-b'] as const

/**
 * The providers of the local chain, each behind its own fault proxy. A chain behind TLS has a
 * single provider without faults, because a proxy cannot relay TLS under another name.
 */
export class SandboxProviders {
  readonly #proxies: ReadonlyMap<string, FaultProxy>
  readonly #wsUrl: string

  private constructor(proxies: ReadonlyMap<string, FaultProxy>, wsUrl: string) {
    this.#proxies = proxies
    this.#wsUrl = wsUrl
  }

  static async start(wsUrl: string, clock: Clock): Promise<SandboxProviders> {
    const { protocol, hostname, port } = new URL(wsUrl)
    const proxies = new Map<string, FaultProxy>()
    if (protocol === 'ws:') {
      const host = hostname.replace(/^\[|\]$/g, '')
      for (const name of providerNames) {
        proxies.set(name, await FaultProxy.start({ host, port: Number(port || 80) }, clock))
      }
    }
    return new SandboxProviders(proxies, wsUrl)
  }

  list(): readonly SandboxProvider[] {
    if (this.#proxies.size === 0) {
      return [{ name: 'anvil', url: this.#wsUrl, connections: 0, mode: 'ok' }]
    }
    return [...this.#proxies].map(([name, { port, fault, connections }]) => {
      // Path and query of the chain's URL are kept.
      const { pathname, search } = new URL(this.#wsUrl)
      const url = `ws://127.0.0.1:${port}${pathname === '/' ? '' : pathname}${search}`
      return { ...fault, name, url, connections }
    })
  }

  /** Sets the fault of a provider. Throws `not_found` if it is unknown or has no proxy. */
  set(name: string, fault: Fault): SandboxProvider {
    this.#proxies.get(name)?.set(fault)
    const found = this.list().find((provider) => provider.name === name)
    if (found !== undefined && this.#proxies.has(name)) return found
    const known = [...this.#proxies.keys()].join(', ') || 'none'
    throw new Failure('not_found', `Unknown provider. Providers that can have a fault: ${known}.`)
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy.close()
  }
}
