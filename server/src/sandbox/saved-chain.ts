import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { moveWhole, writeWhole } from '../whole-file.ts'
import { type Call, textOf } from './rpc.ts'

/** A power cut, or a kill of the chain itself, loses at most so much of it. */
const saveEveryMs = 10_000
/** A long chain takes longer to save: this share of the time goes into saving at most. */
const restPerSave = 20

/**
 * The local chain on disk. Anvil writes its state in place, so a kill in the middle leaves half a
 * file: it writes to a file of its own, which takes the place of the good one only when it is whole.
 */
export class SavedChain {
  /** What a start loads. Replaced in one step. */
  readonly state: string
  /** What anvil writes when it ends. */
  readonly live: string
  /** What the last good start has loaded. */
  readonly #before: string
  readonly #copy: string
  /** There as soon as a history may speak of the chain. */
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
   * Readies the files for a start. Throws `invalid_config` when a history speaks of a chain that is
   * gone: one that begins again under the old genesis would contradict it block by block.
   */
  open(): void {
    this.adoptLive()
    const hasHistory = existsSync(this.#born)
    // Saved by a start that was killed before anybody could follow the chain.
    if (!hasHistory) rmSync(this.state, { force: true })
    if (!hasHistory || this.exists || this.fallBack()) return
    throw new Failure(
      'invalid_config',
      `${this.state} is gone, and with it the local chain that the history speaks of: restore it, or remove the data directory to begin anew.`,
    )
  }

  /** What anvil has written at its end takes the place of the older state, if it is whole. */
  adoptLive(): void {
    if (!existsSync(this.live)) return
    if (isWhole(this.live)) {
      moveWhole(this.live, this.state)
      return
    }
    this.#log.warn({}, 'the chain was killed while it saved itself: its last seconds are lost')
    rmSync(this.live)
  }

  /** When the chain began, in seconds. Null as long as no chain is kept here. */
  bornAt(): number | null {
    return existsSync(this.#born) ? Number(readFileSync(this.#born, 'utf8')) : null
  }

  /** Anvil makes a genesis block at every start: born at the same second it is the same block. */
  keepBirth(bornAt: number): void {
    writeWhole(this.#born, JSON.stringify(bornAt))
  }

  /** Before a start loads the state. */
  copy(): void {
    if (this.exists) copyFileSync(this.state, this.#copy)
  }

  /** It could be loaded, so the copy is good. */
  confirmCopy(): void {
    if (existsSync(this.#copy)) moveWhole(this.#copy, this.#before)
  }

  /**
   * Goes back to what the last good start has loaded; false when there is nothing. What was mined
   * since then reads as a reorg, which the follower tells truthfully.
   */
  fallBack(): boolean {
    if (!existsSync(this.#before)) return false
    this.#log.warn({}, 'the chain could not be loaded, going back to the last start')
    moveWhole(this.#before, this.state)
    return true
  }

  /** Saves the chain as it stands. Rejects when it does not answer. */
  async save(call: Call): Promise<void> {
    const packed = await textOf(call('anvil_dumpState'))
    writeWhole(this.state, await unpack(Buffer.from(packed.slice(2), 'hex')))
  }

  /** Saves it again and again until it is stopped, which waits for the last time. */
  keepSaving(call: Call): { stop(): Promise<void> } {
    const stopped = new AbortController()
    const saving = this.#saveUntil(stopped.signal, call)
    return {
      stop: () => {
        stopped.abort()
        return saving
      },
    }
  }

  async #saveUntil(stopped: AbortSignal, call: Call): Promise<void> {
    let restMs = saveEveryMs
    for (;;) {
      await this.#clock.sleep(restMs, stopped)
      if (stopped.aborted) return
      const startedAt = this.#clock.now()
      await this.save(call).catch((error: unknown) => {
        this.#log.warn({ error }, 'the chain was not saved, which is tried again')
      })
      restMs = Math.max(saveEveryMs, restPerSave * (this.#clock.now() - startedAt))
    }
  }
}

const unpack = promisify(gunzip)

/** A file that was cut off while it was written is no JSON any more. */
function isWhole(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, 'utf8'))
    return true
  } catch {
    // Half a file, which is what is asked here.
    return false
  }
}
