import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { type Child, spawnSupervised } from '../child.ts'
import type { Clock, Log } from '../ports.ts'
import { anvilBinary } from './anvil-binary.ts'
import { type Call, rpcAt, textOf } from './rpc.ts'

/** A development chain that answers, whoever started it. */
export interface LocalChain {
  readonly chainId: number
  readonly genesisHash: string
  readonly httpUrl: string
  readonly wsUrl: string
  /** Unlocked and rich, lower case. */
  readonly accounts: readonly string[]
  readonly call: Call
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

/** Where wallets look for a development chain by themselves. */
const wellKnownPort = 8545
const readyWithinMs = 15_000
const goneWithinMs = 5_000
/** A power cut loses at most so much of the chain; every other end saves all of it. */
const saveEverySeconds = 10

/**
 * When we are killed, anvil gets the signal one block later: what was broadcast is then mined and
 * saved, as a real network would go on without us. When we close we mine first and signal anvil.
 */
const delayedStop = `
trap 'sleep "$delay"; kill -TERM "$chain" 2>/dev/null' TERM
delay=$1; shift
"$@" & chain=$!
echo "anvil $chain"
wait "$chain"; code=$?
while kill -0 "$chain" 2>/dev/null; do wait "$chain"; code=$?; done
exit "$code"
`

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
  const httpUrl = wsUrl.replace(/^ws/, 'http')
  const chain = await describe(httpUrl, wsUrl)
  if (chain.accounts.length === 0) {
    throw new Failure(
      'invalid_config',
      'SANDBOX_RPC_URL holds no unlocked account: it is no development chain.',
    )
  }
  return { ...chain, close: () => Promise.resolve() }
}

interface Files {
  readonly state: string
  readonly before: string
  readonly copy: string
  readonly running: string
  readonly cache: string
}

const filesIn = (home: string): Files => ({
  state: join(home, 'chain.json'),
  before: join(home, 'chain.before.json'),
  copy: join(home, 'chain.copy.json'),
  running: join(home, 'chain.running.json'),
  cache: join(home, 'chain-cache'),
})

async function launch(options: LocalChainOptions, files: Files): Promise<LocalChain> {
  if (existsSync(files.state)) copyFileSync(files.state, files.copy)
  rmSync(files.cache, { recursive: true, force: true })
  const { child, pid, port } = await spawnAnvil(options, files)
  try {
    const chain = await describe(`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`)
    // It could be loaded, so the copy is good.
    if (existsSync(files.copy)) renameSync(files.copy, files.before)
    const running: Running = { pid, httpUrl: chain.httpUrl, genesisHash: chain.genesisHash }
    writeFileSync(files.running, JSON.stringify(running), { mode: 0o600 })
    const close = async (): Promise<void> => {
      await minePending(chain.call)
      signal(pid)
      await child.exited
      rmSync(files.running, { force: true })
    }
    return { ...chain, close }
  } catch (error) {
    signal(pid)
    await child.exited
    throw error
  }
}

async function spawnAnvil(
  { clock, log, blockSeconds }: LocalChainOptions,
  files: Files,
): Promise<{ child: Child; pid: number; port: number }> {
  const port = (await isFree(wellKnownPort)) ? wellKnownPort : 0
  const seen = { pid: 0, port: 0, last: '' }
  const waiting = new AbortController()
  const child = await spawnSupervised({
    command: '/bin/sh',
    args: ['-c', delayedStop, 'sh', String(blockSeconds + 0.2), anvilBinary(), ...args()],
    stopSignal: 'SIGTERM',
    stopSeconds: blockSeconds + goneWithinMs / 1000,
    log,
    onLine: (line) => {
      if (seen.port !== 0) return
      seen.last = line.trim() || seen.last
      seen.pid ||= Number(/^anvil (\d+)$/.exec(line)?.[1] ?? 0)
      seen.port = Number(/^Listening on \S+:(\d+)$/.exec(line)?.[1] ?? 0)
      if (seen.port !== 0) waiting.abort()
    },
  })
  function args(): string[] {
    return [
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--block-time', String(blockSeconds), '--slots-in-an-epoch', '4'],
      ...['--state', files.state, '--state-interval', String(saveEverySeconds)],
      // From Prague on every block grows a history contract that anvil copies per block: 300 KB of
      // memory per block against 10 KB, measured over 4,000 blocks.
      ...['--hardfork', 'cancun', '--cache-path', files.cache],
    ]
  }
  await Promise.race([clock.sleep(readyWithinMs, waiting.signal), child.exited])
  waiting.abort()
  if (seen.port !== 0) return { child, pid: seen.pid, port: seen.port }
  if (seen.pid !== 0) signal(seen.pid)
  await child.exited
  throw new Failure('chain_unavailable', `The local chain did not start: ${seen.last}`)
}

async function describe(httpUrl: string, wsUrl: string): Promise<Omit<LocalChain, 'close'>> {
  const call = rpcAt(httpUrl)
  const [chainId, genesis, accounts] = await Promise.all([
    textOf(call('eth_chainId')),
    call('eth_getBlockByNumber', ['0x0', false]),
    call('eth_accounts'),
  ])
  if (typeof genesis !== 'object' || genesis === null || !('hash' in genesis)) {
    throw new Failure('chain_unavailable', 'The development chain has no genesis block.')
  }
  const unlocked = Array.isArray(accounts) ? accounts.map(String) : []
  return {
    chainId: Number(chainId),
    genesisHash: String(genesis.hash),
    httpUrl,
    wsUrl,
    accounts: unlocked.map((address) => address.toLowerCase()),
    call,
  }
}

/** Nothing that was broadcast is lost with the mempool, which anvil does not save. */
async function minePending(call: Call): Promise<void> {
  try {
    const pool = await call('txpool_status')
    const pending = typeof pool === 'object' && pool !== null && 'pending' in pool && pool.pending
    if (Number(pending) > 0) await call('evm_mine')
  } catch {
    // It is gone or hangs: then there is nothing left to mine, and closing goes on.
  }
}

interface Running {
  readonly pid: number
  readonly httpUrl: string
  readonly genesisHash: string
}

/**
 * A server that was killed leaves a chain that is still mining its last block. It is asked to mine
 * at once and to end; only a process that answers as this very chain is ever signalled.
 */
async function endOrphan(path: string, clock: Clock): Promise<void> {
  const orphan = readRunning(path)
  if (orphan === null || !signal(orphan.pid, 0)) return
  const call = rpcAt(orphan.httpUrl)
  const same = await describe(orphan.httpUrl, '').then(
    (chain) => chain.genesisHash === orphan.genesisHash,
    () => false,
  )
  if (same) {
    await minePending(call)
    signal(orphan.pid)
  }
  const until = clock.now() + goneWithinMs
  while (signal(orphan.pid, 0) && clock.now() < until) await clock.sleep(10)
  rmSync(path, { force: true })
}

function readRunning(path: string): Running | null {
  if (!existsSync(path)) return null
  try {
    // Written by us, whole or torn by a power cut; torn is caught.
    return JSON.parse(readFileSync(path, 'utf8')) as Running
  } catch {
    // A power cut that tore the file has ended the chain as well.
    return null
  }
}

/** Whether the process was there to be signalled. 0 only asks. */
function signal(pid: number, name: 'SIGTERM' | 0 = 'SIGTERM'): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    // Gone already, which is what a signal wants.
    return false
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      probe.close(() => resolve(true)),
    )
  })
