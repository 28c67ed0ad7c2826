/** Finds and stops a chain that a killed server left behind, which runs for one more block. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Clock } from '../ports/clock.ts'
import { writeWhole } from '../whole-file.ts'
import { signal } from './anvil.ts'
import { genesisHashAt, type RpcCall, rpcAt } from './rpc.ts'

interface RunningChain {
  readonly pid: number
  readonly httpUrl: string
  readonly genesisHash: string
}

const goneWithinMs = 5_000

/** Records the running chain, so that the next start finds it if this process is killed. */
export const remember = (path: string, running: RunningChain): void =>
  writeWhole(path, JSON.stringify(running))

/**
 * Makes an orphaned chain mine and exit, and waits until its state is saved. It only signals a
 * process that answers with the genesis hash of this chain.
 */
export async function endOrphan(path: string, clock: Clock): Promise<void> {
  const orphan = recall(path)
  if (orphan === null || !signal(orphan.pid, 0)) return
  const call = rpcAt(orphan.httpUrl)
  const same = await genesisHashAt(call).then(
    (hash) => hash === orphan.genesisHash,
    () => false,
  )
  if (same) {
    await minePending(call)
    signal(orphan.pid)
  }
  const until = clock.now() + goneWithinMs
  while (signal(orphan.pid, 0) && clock.now() < until) await clock.sleep(10)
  // It hangs. If it kept running, it could overwrite the files of the next chain.
  if (same) signal(orphan.pid, 'SIGKILL')
  rmSync(path, { force: true })
}

/** Mines pending transactions, because anvil saves blocks but not its mempool. */
export async function minePending(call: RpcCall): Promise<void> {
  try {
    const pool = await call('txpool_status')
    const pending = typeof pool === 'object' && pool !== null && 'pending' in pool && pool.pending
    if (Number(pending) > 0) await call('evm_mine')
  } catch {
    // The chain has exited or hangs: nothing can be mined, continue to stop it.
  }
}

function recall(path: string): RunningChain | null {
  if (!existsSync(path)) return null
  try {
    // We wrote the file; one that a power cut has damaged does not parse.
    return JSON.parse(readFileSync(path, 'utf8')) as RunningChain
  } catch {
    // The power cut that damaged the file has stopped the chain as well.
    return null
  }
}
