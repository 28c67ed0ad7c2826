import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { arch, platform } from 'node:process'
import { Failure } from '@settlewire/core/errors'
import { spawnSupervised } from '../child.ts'
import type { Clock } from '../ports/clock.ts'

/** An anvil that listens on loopback. */
export interface Anvil {
  readonly pid: number
  readonly port: number
  /** The well-known port if it could not be used; else null. */
  readonly takenPort: number | null
  /** Resolves when it has exited, for whatever reason. Never rejects. */
  readonly exited: Promise<void>
  /** Lets it save its state and waits until it has exited. */
  stop(): Promise<void>
}

interface AnvilOptions {
  /** The state to load; null for an empty chain. */
  readonly stateFile: string | null
  /** The file that it writes when it exits. Incomplete if it is killed meanwhile. */
  readonly saveTo: string
  readonly cacheDirectory: string
  readonly blockSeconds: number
  /** The time of the genesis block, in seconds since 1970. */
  readonly bornAt: number
  readonly clock: Clock
}

/** The default port at which wallets look for a development chain. */
const wellKnownPort = 8545
const readyWithinMs = 15_000
const stopSeconds = 5
/** Anvil also writes its file in place at intervals: with 30 years it never does. */
const neverSeconds = 1_000_000_000

/**
 * If we are killed, anvil gets the signal one block later, so that it mines and saves broadcast
 * transactions, like a real network that goes on without us. To stop it, we signal anvil itself.
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

/** Starts anvil on the well-known port, or on a free one. Rejects with `chain_unavailable`. */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  if (!(await isFree(wellKnownPort))) return spawnAnvil(options, 0)
  // Another program may take the port between the check and the start.
  return spawnAnvil(options, wellKnownPort).catch(() => spawnAnvil(options, 0))
}

async function spawnAnvil(options: AnvilOptions, port: number): Promise<Anvil> {
  const { blockSeconds, clock } = options
  const delay = String(blockSeconds + 0.2)
  const seen = { pid: 0, port: 0, last: '' }
  const waiting = new AbortController()
  const child = await spawnSupervised({
    command: '/bin/sh',
    args: ['-c', delayedStop, 'sh', delay, anvilBinary(), ...argumentsOf(options, port)],
    stopSignal: 'SIGTERM',
    stopSeconds: blockSeconds + stopSeconds,
    onLine: (line) => {
      if (seen.port !== 0) return
      seen.last = line.trim() || seen.last
      seen.pid ||= Number(/^anvil (\d+)$/.exec(line)?.[1] ?? 0)
      seen.port = Number(/^Listening on \S+:(\d+)$/.exec(line)?.[1] ?? 0)
      if (seen.port !== 0) waiting.abort()
    },
  })
  const stop = async (): Promise<void> => {
    if (seen.pid !== 0) signal(seen.pid)
    await child.exited
  }
  await Promise.race([clock.sleep(readyWithinMs, waiting.signal), child.exited])
  waiting.abort()
  const exited = child.exited.then(() => undefined)
  const takenPort = port === wellKnownPort ? null : wellKnownPort
  if (seen.port !== 0) return { pid: seen.pid, port: seen.port, takenPort, exited, stop }
  await stop()
  throw new Failure('chain_unavailable', `The local chain did not start: ${seen.last}`)
}

const argumentsOf = (options: AnvilOptions, port: number): string[] => [
  ...['--host', '127.0.0.1', '--port', String(port)],
  ...['--block-time', String(options.blockSeconds), '--slots-in-an-epoch', '4'],
  ...['--timestamp', String(options.bornAt)],
  ...(options.stateFile === null ? [] : ['--load-state', options.stateFile]),
  ...['--dump-state', options.saveTo, '--state-interval', String(neverSeconds)],
  // Since Prague every block extends a history contract, which anvil copies per block: 300 KB of
  // memory per block instead of 10 KB, measured over 4,000 blocks.
  ...['--hardfork', 'cancun', '--cache-path', options.cacheDirectory],
]

/**
 * The binary for this platform. The launcher that npm links is another Node process, and a signal
 * to it might not reach the chain.
 */
function anvilBinary(): string {
  const target = `anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  try {
    const own = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    return createRequire(own).resolve(`@foundry-rs/${target}/bin/anvil`)
  } catch (cause) {
    throw new Failure(
      'invalid_config',
      `The local chain has no binary for this machine (@foundry-rs/${target}). Remove node_modules and start again, or set SANDBOX_RPC_URL or SANDBOX=off.`,
      { cause },
    )
  }
}

/** Signals a process; false if it does not exist. 0 only checks whether it exists. */
export function signal(pid: number, name: 'SIGTERM' | 'SIGKILL' | 0 = 'SIGTERM'): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    // The process has already exited.
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
