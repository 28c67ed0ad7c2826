import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { startAnvil } from './anvil.ts'
import { endOrphan, minePending, remember } from './orphan.ts'
import { type Call, genesisHashAt, rpcAt, textOf } from './rpc.ts'
import { SavedChain } from './saved-chain.ts'

/** A development chain that answers, whoever started it. */
export interface LocalChain {
  readonly chainId: number
  readonly genesisHash: string
  readonly httpUrl: string
  readonly wsUrl: string
  /** Unlocked and rich, lower case. */
  readonly accounts: readonly string[]
  readonly call: Call
  /** Resolves when it is gone, whatever ended it; never for a chain that was running before. */
  readonly exited: Promise<void>
  /** Resolves when it is on disk as it stands; at once for a chain that was running before. */
  save(): Promise<void>
  /** Resolves when all that was mined is on disk. A chain that was running before goes on. */
  close(): Promise<void>
}

interface LocalChainOptions {
  /** The data directory; the chain is kept in `chain.json` there, beside the history it belongs to. */
  readonly home: string
  readonly clock: Clock
  readonly log: Log
  readonly blockSeconds: number
}

/**
 * Starts anvil and resolves when it answers: a real EVM with a block every few seconds, whose state
 * outlives restarts. Needs no network. Takes the well-known port when it is free.
 * Only one process may run this on a data directory; the caller holds the directory's lock.
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

/** Uses a development chain that is running already. Rejects when it is not one. */
export async function joinChain(wsUrl: string): Promise<LocalChain> {
  const chain = await describe(wsUrl.replace(/^ws/, 'http'), wsUrl)
  if (chain.accounts.length === 0) {
    throw new Failure(
      'invalid_config',
      'SANDBOX_RPC_URL holds no unlocked account: it is no development chain.',
    )
  }
  const done = (): Promise<void> => Promise.resolve()
  return { ...chain, exited: new Promise(() => undefined), save: done, close: done }
}

interface Files {
  readonly saved: SavedChain
  /** Names the process that runs. */
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
    // Its clock begins at its birth each time; the next block must carry the time that it is.
    await chain.call('evm_increaseTime', [now() - bornAt])
    saved.confirmCopy()
    const { call, httpUrl, genesisHash } = chain
    remember(running, { pid: anvil.pid, httpUrl, genesisHash })
    // On disk before anybody hears of it: a kill must not leave a history without its chain.
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
    return { ...chain, exited: anvil.exited, save: () => saved.save(call), close }
  } catch (error) {
    await anvil.stop()
    throw error
  }
}

async function describe(
  httpUrl: string,
  wsUrl: string,
): Promise<Omit<LocalChain, 'close' | 'exited' | 'save'>> {
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
