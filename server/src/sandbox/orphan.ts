/** The chain that a killed server leaves behind, which goes on for one more block. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Clock } from '../ports/clock.ts'
import { writeWhole } from '../whole-file.ts'
import { signal } from './anvil.ts'
import { type Call, genesisHashAt, rpcAt } from './rpc.ts'

interface Running {
  readonly pid: number
  readonly httpUrl: string
  readonly genesisHash: string
}

const goneWithinMs = 5_000

/** Notes the chain that runs, for the next start to find if this one is killed. */
export const remember = (path: string, running: Running): void =>
  writeWhole(path, JSON.stringify(running))

/**
 * Has an orphan mine at once and end, and waits until its state is saved. Only a process that
 * answers as this very chain is ever signalled.
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
  // It hangs. Left alone it could still write, over what the next one has made.
  if (same) signal(orphan.pid, 'SIGKILL')
  rmSync(path, { force: true })
}

/** Mines what was broadcast: anvil saves its blocks, not its mempool. */
export async function minePending(call: Call): Promise<void> {
  try {
    const pool = await call('txpool_status')
    const pending = typeof pool === 'object' && pool !== null && 'pending' in pool && pool.pending
    if (Number(pending) > 0) await call('evm_mine')
  } catch {
    // It is gone or hangs: then there is nothing left to mine, and ending goes on.
  }
}

function recall(path: string): Running | null {
  if (!existsSync(path)) return null
  try {
    // Written by us, whole or torn by a power cut; torn is caught.
    return JSON.parse(readFileSync(path, 'utf8')) as Running
  } catch {
    // A power cut that tore the file has ended the chain as well.
    return null
  }
}
