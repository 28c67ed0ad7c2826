import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Clock, Log } from '../ports.ts'
import { startAnvil } from './anvil.ts'
import { endOrphan, minePending, remember } from './orphan.ts'
import { type Call, genesisHashAt, rpcAt, textOf } from './rpc.ts'

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
  const files = filesIn(options.home)
  mkdirSync(options.home, { recursive: true })
  await endOrphan(files.running, options.clock)
  try {
    return await launch(options, files)
  } catch (error) {
    if (!existsSync(files.before)) throw error
    // A power cut can tear the file while it is written. The state before the last start is whole;
    // what was mined since then reads as a reorg, which the follower tells truthfully.
    options.log.warn({ error }, 'the chain could not be loaded, going back to the last start')
    renameSync(files.before, files.state)
    return await launch(options, files)
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
  return { ...chain, exited: new Promise(() => undefined), close: () => Promise.resolve() }
}

interface Files {
  readonly state: string
  readonly before: string
  readonly copy: string
  readonly running: string
  readonly cache: string
  readonly born: string
}

const filesIn = (home: string): Files => ({
  state: join(home, 'chain.json'),
  before: join(home, 'chain.before.json'),
  copy: join(home, 'chain.copy.json'),
  running: join(home, 'chain.running.json'),
  cache: join(home, 'chain-cache'),
  born: join(home, 'chain.born.json'),
})

/**
 * When the chain began, in seconds. Anvil makes a genesis block at every start, also beside the one
 * it loads, and may answer with either; born at the same second they are one and the same block.
 */
function bornAt(path: string, clock: Clock): number {
  if (!existsSync(path)) {
    const draft = `${path}.draft`
    writeFileSync(draft, JSON.stringify(Math.floor(clock.now() / 1_000)))
    renameSync(draft, path)
  }
  return Number(readFileSync(path, 'utf8'))
}

/** A chain that begins again under the old genesis would contradict the history block by block. */
function refuseLoss(files: Files): void {
  if (!existsSync(files.born) || existsSync(files.state)) return
  throw new Failure(
    'invalid_config',
    `${files.state} is gone, and with it the local chain that the history speaks of: restore it, or remove the data directory to begin anew.`,
  )
}

async function launch(options: LocalChainOptions, files: Files): Promise<LocalChain> {
  refuseLoss(files)
  if (existsSync(files.state)) copyFileSync(files.state, files.copy)
  rmSync(files.cache, { recursive: true, force: true })
  const { state: stateFile, cache: cacheDirectory } = files
  const born = bornAt(files.born, options.clock)
  const anvil = await startAnvil({ ...options, stateFile, cacheDirectory, bornAt: born })
  try {
    const chain = await describe(`http://127.0.0.1:${anvil.port}`, `ws://127.0.0.1:${anvil.port}`)
    // Its clock begins at its birth each time; the next block must carry the time that it is.
    await chain.call('evm_increaseTime', [Math.floor(options.clock.now() / 1_000) - born])
    // It could be loaded, so the copy is good.
    if (existsSync(files.copy)) renameSync(files.copy, files.before)
    const { httpUrl, genesisHash } = chain
    remember(files.running, { pid: anvil.pid, httpUrl, genesisHash })
    const close = async (): Promise<void> => {
      await minePending(chain.call)
      await anvil.stop()
      rmSync(files.running, { force: true })
    }
    return { ...chain, exited: anvil.exited, close }
  } catch (error) {
    await anvil.stop()
    // A birth that came to nothing: the next start may try it anew.
    if (!existsSync(files.state)) rmSync(files.born, { force: true })
    throw error
  }
}

async function describe(
  httpUrl: string,
  wsUrl: string,
): Promise<Omit<LocalChain, 'close' | 'exited'>> {
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
