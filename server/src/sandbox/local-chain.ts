import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { startAnvil } from './anvil.ts'
import { endOrphan, minePending, remember } from './orphan.ts'
import { genesisHashAt, type RpcCall, rpcAt, textOf } from './rpc.ts'
import { SavedChain } from './saved-chain.ts'

/** A running development chain, started by us or by others. */
export interface LocalChain {
  readonly chainId: number
  readonly genesisHash: string
  readonly httpUrl: string
  readonly wsUrl: string
  /** The well-known port, if our chain is on another one because that is in use; else null. */
  readonly takenPort: number | null
  /** Unlocked accounts with plenty of coins, lower case. */
  readonly accounts: readonly string[]
  readonly call: RpcCall
  /** Resolves when it has exited, for whatever reason; never for a chain that we did not start. */
  readonly exited: Promise<void>
  /** Saves its current state to disk. A no-op for a chain that we did not start. */
  save(): Promise<void>
  /** Stops it after saving all mined blocks. A chain that we did not start continues. */
  close(): Promise<void>
}

interface LocalChainOptions {
  /**
   * The data directory. The chain is in `chain.json` there, beside the history that refers to it.
   */
  readonly home: string
  readonly clock: Clock
  readonly log: Log
  readonly blockSeconds: number
}

/**
 * Starts anvil and resolves when it answers: a real EVM with a block every few seconds, whose state
 * survives restarts. Needs no network. Uses the well-known port if it is free. Only one process may
 * run this on a data directory; the caller holds the directory's lock.
 */
export async function startLocalChain(options: LocalChainOptions): Promise<LocalChain> {
  const running = join(options.home, 'chain.running.json')
  const saved = new SavedChain(options.home, options)
  mkdirSync(options.home, { recursive: true })
  await endOrphan(running, options.clock)
  saved.open()
  try {
    return await launch(options, { saved, running })
  } catch (error) {
    if (!saved.fallBack()) throw error
    return await launch(options, { saved, running })
  }
}

/** Uses a running development chain. Rejects if it is not a development chain. */
export async function joinChain(wsUrl: string): Promise<LocalChain> {
  const chain = await describe(wsUrl.replace(/^ws/, 'http'), wsUrl)
  if (chain.accounts.length === 0) {
    throw new Failure(
      'invalid_config',
      'SANDBOX_RPC_URL is not a development chain: it has no unlocked account.',
    )
  }
  const done = (): Promise<void> => Promise.resolve()
  const exited = new Promise<void>(() => undefined)
  return { ...chain, takenPort: null, exited, save: done, close: done }
}

interface Files {
  readonly saved: SavedChain
  /** The file with the pid of the running chain. */
  readonly running: string
}

async function launch(options: LocalChainOptions, files: Files): Promise<LocalChain> {
  const { saved, running } = files
  const { home, clock } = options
  const cacheDirectory = join(home, 'chain-cache')
  rmSync(cacheDirectory, { recursive: true, force: true })
  saved.copy()
  const now = (): number => Math.floor(clock.now() / 1_000)
  const bornAt = saved.bornAt() ?? now()
  const stateFile = saved.exists ? saved.state : null
  const anvil = await startAnvil({
    ...{ ...options, stateFile, saveTo: saved.live, cacheDirectory, bornAt },
  })
  try {
    const chain = await describe(`http://127.0.0.1:${anvil.port}`, `ws://127.0.0.1:${anvil.port}`)
    // Its clock starts at the genesis time each time; the next block must have the current time.
    await chain.call('evm_increaseTime', [now() - bornAt])
    saved.confirmCopy()
    const { call, httpUrl, genesisHash } = chain
    remember(running, { pid: anvil.pid, httpUrl, genesisHash })
    // Saved before anything refers to it: a kill must not leave a history without its chain.
    if (stateFile === null) await saved.save(call)
    saved.keepBirth(bornAt)
    const saving = saved.keepSaving(call)
    const close = async (): Promise<void> => {
      await saving.stop()
      await minePending(call)
      await anvil.stop()
      saved.adoptLive()
      rmSync(running, { force: true })
    }
    const { takenPort, exited } = anvil
    return { ...chain, takenPort, exited, save: () => saved.save(call), close }
  } catch (error) {
    await anvil.stop()
    throw error
  }
}

async function describe(
  httpUrl: string,
  wsUrl: string,
): Promise<Omit<LocalChain, 'close' | 'exited' | 'save' | 'takenPort'>> {
  const call = rpcAt(httpUrl)
  const [chainId, genesisHash, accounts] = await Promise.all([
    textOf(call('eth_chainId')),
    genesisHashAt(call),
    call('eth_accounts'),
  ])
  const unlocked = Array.isArray(accounts) ? accounts.map(String) : []
  return {
    chainId: Number(chainId),
    genesisHash,
    httpUrl,
    wsUrl,
    accounts: unlocked.map((address) => address.toLowerCase()),
    call,
  }
}
