import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { moveWhole, writeWhole } from '../whole-file.ts'
import { type RpcCall, textOf } from './rpc.ts'

/** A power cut, or a kill of the chain, loses at most the blocks of this time. */
const saveEveryMs = 10_000
/**
 * The pause after a save is at least so many times its duration, because long chains save slowly.
 */
const restPerSave = 20

/**
 * The local chain on disk. Anvil writes its state in place, so a kill leaves an incomplete file: it
 * writes to a separate file, which replaces the good one only if it is complete.
 */
export class SavedChain {
  /** The state that a start loads. Replaced atomically. */
  readonly state: string
  /** The file that anvil writes when it exits. */
  readonly live: string
  /** The state that the last successful start has loaded. */
  readonly #before: string
  readonly #copy: string
  /** Exists as soon as a history may refer to the chain. */
  readonly #born: string
  readonly #clock: Clock
  readonly #log: Log

  constructor(home: string, { clock, log }: { clock: Clock; log: Log }) {
    this.state = join(home, 'chain.json')
    this.live = join(home, 'chain.live.json')
    this.#before = join(home, 'chain.before.json')
    this.#copy = join(home, 'chain.copy.json')
    this.#born = join(home, 'chain.born.json')
    this.#clock = clock
    this.#log = log
  }

  get exists(): boolean {
    return existsSync(this.state)
  }

  /**
   * Prepares the files for a start. Throws `invalid_config` if a history refers to a chain whose
   * files are missing: a chain that begins again with the same genesis would contradict the
   * history.
   */
  open(): void {
    this.adoptLive()
    const hasHistory = existsSync(this.#born)
    // Saved by a start that was killed before the server could follow the chain.
    if (!hasHistory) rmSync(this.state, { force: true })
    if (!hasHistory || this.exists || this.fallBack()) return
    throw new Failure(
      'invalid_config',
      `${this.state} is missing, and with it the local chain that the history refers to: restore it, or remove the data directory to begin again.`,
    )
  }

  /** Replaces the state by the file that anvil wrote on exit, if that is complete. */
  adoptLive(): void {
    if (!existsSync(this.live)) return
    if (isWhole(this.live)) {
      moveWhole(this.live, this.state)
      return
    }
    this.#log.warn({}, 'the local chain was killed while it saved: its last seconds are lost')
    rmSync(this.live)
  }

  /** The genesis time of the chain, in seconds. Null if no chain is stored here. */
  bornAt(): number | null {
    return existsSync(this.#born) ? Number(readFileSync(this.#born, 'utf8')) : null
  }

  /**
   * Stores the genesis time: anvil creates the genesis block at every start, the same for the same
   * time.
   */
  keepBirth(bornAt: number): void {
    writeWhole(this.#born, JSON.stringify(bornAt))
  }

  /** Copies the state before a start loads it. */
  copy(): void {
    if (this.exists) copyFileSync(this.state, this.#copy)
  }

  /** The state was loaded, so the copy is valid: it becomes the fallback. */
  confirmCopy(): void {
    if (existsSync(this.#copy)) moveWhole(this.#copy, this.#before)
  }

  /**
   * Goes back to the state of the last successful start; false without such a state. To the
   * follower the lost blocks are a reorg.
   */
  fallBack(): boolean {
    if (!existsSync(this.#before)) return false
    this.#log.warn({}, 'could not load the local chain, going back to the state of the last start')
    moveWhole(this.#before, this.state)
    return true
  }

  /** Saves the current state of the chain. Rejects if it does not answer. */
  async save(call: RpcCall): Promise<void> {
    const packed = await textOf(call('anvil_dumpState'))
    writeWhole(this.state, await unpack(Buffer.from(packed.slice(2), 'hex')))
  }

  /** Saves periodically until stopped. `stop` waits for a running save. */
  keepSaving(call: RpcCall): { stop(): Promise<void> } {
    const stopped = new AbortController()
    const saving = this.#saveUntil(stopped.signal, call)
    return {
      stop: () => {
        stopped.abort()
        return saving
      },
    }
  }

  async #saveUntil(stopped: AbortSignal, call: RpcCall): Promise<void> {
    let restMs = saveEveryMs
    for (;;) {
      await this.#clock.sleep(restMs, stopped)
      if (stopped.aborted) return
      const startedAt = this.#clock.now()
      await this.save(call).catch((error: unknown) => {
        this.#log.warn({ error }, 'could not save the local chain, will retry')
      })
      restMs = Math.max(saveEveryMs, restPerSave * (this.#clock.now() - startedAt))
    }
  }
}

const unpack = promisify(gunzip)

/** Whether a file is complete: one that was cut off during the write is not valid JSON. */
function isWhole(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, 'utf8'))
    return true
  } catch {
    // An incomplete file.
    return false
  }
}
