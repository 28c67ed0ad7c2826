import type { KnownToken } from '../chain-config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { ChainLevers } from './chain-levers.ts'
import { joinChain, type LocalChain, startLocalChain } from './local-chain.ts'
import { multicall3, prepareChain } from './prepare-chain.ts'
import { SandboxProviders } from './providers.ts'
import { textOf } from './rpc.ts'
import { type TestToken, testDollar, testTokens } from './token.ts'
import { SandboxWallet } from './wallet.ts'

/** The sandbox: a chain, test tokens, a wallet with them, and levers. */
export interface Sandbox {
  readonly chain: Pick<LocalChain, 'chainId' | 'genesisHash' | 'httpUrl' | 'wsUrl'> & {
    /** The name in `USDC.local`. */
    readonly name: 'local'
    /** Lower case. */
    readonly multicall3: string
    /** The providers of the server, each behind a fault proxy. Wallets connect directly. */
    readonly providers: readonly { readonly name: string; readonly url: string }[]
  }
  /** The well-known port, if our chain is on another one because that is in use; else null. */
  readonly takenPort: number | null
  /** The token in which payments are priced. */
  readonly token: TestToken
  /** All tokens of the wallet. */
  readonly tokens: readonly KnownToken[]
  readonly wallet: SandboxWallet
  readonly levers: ChainLevers
  readonly providers: SandboxProviders
  /** Resolves when the chain exits; never for a chain that we did not start. */
  readonly exited: Promise<void>
  /** Saves and stops the chain if we started it. */
  close(): Promise<void>
}

/**
 * Starts the sandbox, or joins the development chain at `rpcUrl` (ws). The caller holds the lock of
 * `home`. Rejects with a `Failure` that says what to do.
 */
export async function startSandbox(options: {
  readonly home: string
  readonly rpcUrl: string | null
  readonly blockSeconds: number
  readonly clock: Clock
  readonly log: Log
}): Promise<Sandbox> {
  const chain =
    options.rpcUrl === null ? await startLocalChain(options) : await joinChain(options.rpcUrl)
  try {
    const cast = await prepareChain(chain, options.clock)
    await chain.save()
    const floor = Number(await textOf(chain.call('eth_blockNumber')))
    const providers = await SandboxProviders.start(chain.wsUrl, options.clock)
    const { chainId, genesisHash, httpUrl, wsUrl, takenPort, exited } = chain
    const ways = providers.list().map(({ name, url }) => ({ name, url }))
    return {
      chain: { name: 'local', chainId, genesisHash, httpUrl, wsUrl, multicall3, providers: ways },
      ...{ takenPort, token: testDollar, tokens: testTokens, exited, providers },
      wallet: new SandboxWallet(chain, cast),
      levers: new ChainLevers(chain.call, floor),
      close: async () => {
        await providers.close()
        await chain.close()
      },
    }
  } catch (error) {
    await chain.close()
    throw error
  }
}
