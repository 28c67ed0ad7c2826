import type { Clock, Log } from '../ports.ts'
import { joinChain, type LocalChain, startLocalChain } from './local-chain.ts'
import { ensureToken, type TestToken } from './token.ts'
import { SandboxWallet } from './wallet.ts'

/** What there is to play with: a chain, a token on it, and somebody who holds the token. */
export interface Sandbox {
  readonly chain: Pick<LocalChain, 'chainId' | 'genesisHash' | 'httpUrl' | 'wsUrl'> & {
    /** The name in `USDC.local`. */
    readonly name: 'local'
  }
  readonly token: TestToken
  readonly wallet: SandboxWallet
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
    const [payer] = chain.accounts
    if (payer === undefined) throw new Error('a development chain without accounts')
    const token = await ensureToken(chain, payer, options.clock)
    const { chainId, genesisHash, httpUrl, wsUrl, exited, close } = chain
    return {
      chain: { name: 'local', chainId, genesisHash, httpUrl, wsUrl },
      token,
      wallet: new SandboxWallet(chain, payer),
      exited,
      close,
    }
  } catch (error) {
    await chain.close()
    throw error
  }
}
