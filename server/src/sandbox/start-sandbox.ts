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

/** What there is to play with: a chain, tokens on it, somebody who holds them, and levers. */
export interface Sandbox {
  readonly chain: Pick<LocalChain, 'chainId' | 'genesisHash' | 'httpUrl' | 'wsUrl'> & {
    /** The name in `USDC.local`. */
    readonly name: 'local'
    /** Lower case. */
    readonly multicall3: string
    /** How the server sees it: each through a wire that can be made bad. Wallets go there directly. */
    readonly providers: readonly { readonly name: string; readonly url: string }[]
  }
  /** The one that payments are priced in. */
  readonly token: TestToken
  /** All that the wallet holds. */
  readonly tokens: readonly KnownToken[]
  readonly wallet: SandboxWallet
  readonly levers: ChainLevers
  readonly providers: SandboxProviders
  /** Resolves if the chain ends, also by itself; never for one that was running before. */
  readonly exited: Promise<void>
  /** Ends the chain if it is ours, saved; nothing is sent any more. */
  close(): Promise<void>
}

/**
 * Starts the sandbox, or joins the development chain at `rpcUrl` (ws). The caller holds the lock of
 * `home`. Rejects with a `Failure` that says what to do about it.
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
    const { chainId, genesisHash, httpUrl, wsUrl, exited } = chain
    const ways = providers.list().map(({ name, url }) => ({ name, url }))
    return {
      chain: { name: 'local', chainId, genesisHash, httpUrl, wsUrl, multicall3, providers: ways },
      ...{ token: testDollar, tokens: testTokens, exited, providers },
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
