import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { type Ground, openGround } from './ground.ts'
import type { Outcome } from './outcome.ts'
import type { Order } from './worker.ts'

export interface RunOptions {
  readonly seeds: readonly number[]
  /** The name of a planted fault or past bug; null: the sources as they are. */
  readonly fault?: string | null
  readonly workers?: number
  /** Worlds that one worker runs concurrently: while one waits for the database, another runs. */
  readonly lanes?: number
  readonly onOutcome?: (outcome: Outcome) => void
  /** If it returns true, the run ends before its last seed. */
  readonly enough?: (outcome: Outcome) => boolean
  /** Aborts the run and kills its processes. */
  readonly signal?: AbortSignal
  /** An existing server to use; the run does not close it. */
  readonly ground?: Ground
}

export interface RunResult {
  /** Sorted by seed. */
  readonly outcomes: readonly Outcome[]
  readonly failed: readonly Outcome[]
  readonly tookMs: number
}

/** The time limit of one world: a hang is a finding too. */
const worldWithinMs = 60_000

/** Runs all these worlds, concurrently in their own processes. */
export async function runSeeds(options: RunOptions): Promise<RunResult> {
  const startedAt = performance.now()
  const ground = options.ground ?? (await openGround())
  const run = new Run(options)
  try {
    const { workers = 2, lanes = 3 } = options
    const urls: string[][] = []
    for (let i = 0; i < workers; i++) {
      const own: string[] = []
      for (let j = 0; j < lanes; j++) own.push(await ground.database())
      urls.push(own)
    }
    await Promise.all(urls.map((own) => run.employ(own)))
  } finally {
    if (options.ground === undefined) await ground.close()
  }
  const outcomes = run.outcomes.sort((a, b) => a.seed - b.seed)
  const failed = outcomes.filter(({ violations }) => violations.length > 0)
  return { outcomes, failed, tookMs: performance.now() - startedAt }
}

class Run {
  readonly outcomes: Outcome[] = []
  readonly #options: RunOptions
  readonly #left: number[]

  constructor(options: RunOptions) {
    this.#options = options
    this.#left = [...options.seeds]
  }

  /** Runs one worker until there are no seeds left. */
  async employ(databases: readonly string[]): Promise<void> {
    const { fault, signal } = this.#options
    const worker = fork(join(import.meta.dirname, 'worker.ts'), [fault ?? '-', ...databases], {
      // Without the loaders that Vitest adds to this process. Worlds allocate many short-lived
      // objects: a larger young generation saves about a twentieth to a tenth of the time.
      execArgv: ['--max-semi-space-size=32'],
      env: { PATH: process.env.PATH },
    })
    const ended = new Promise<number | null>((resolve) => worker.once('exit', resolve))
    const abandon = (): void => {
      this.#left.length = 0
      worker.kill('SIGKILL')
    }
    signal?.addEventListener('abort', abandon, { once: true })
    const pending = new Map<number, NodeJS.Timeout>()
    worker.on('message', (message: Outcome | 'ready') => {
      if (message !== 'ready') {
        clearTimeout(pending.get(message.seed))
        pending.delete(message.seed)
        this.#take(message)
      }
      const wanted = message === 'ready' ? databases.length : 1
      for (let i = 0; i < wanted; i++) this.#give(worker, pending)
      if (pending.size === 0) send(worker, 'end')
    })
    const code = await ended
    signal?.removeEventListener('abort', abandon)
    for (const timer of pending.values()) clearTimeout(timer)
    for (const seed of pending.keys()) this.#take(lostWith(seed, code))
    if (code !== 0 && pending.size === 0 && signal?.aborted !== true)
      throw new Error(`a worker ended with code ${code}`)
  }

  #give(worker: ChildProcess, pending: Map<number, NodeJS.Timeout>): void {
    const seed = this.#left.shift()
    if (seed === undefined) return
    pending.set(
      seed,
      setTimeout(() => worker.kill('SIGKILL'), worldWithinMs),
    )
    send(worker, { seed })
  }

  #take(outcome: Outcome): void {
    this.outcomes.push(outcome)
    this.#options.onOutcome?.(outcome)
    if (this.#options.enough?.(outcome) === true) this.#left.length = 0
  }
}

const send = (worker: ChildProcess, order: Order): void => {
  if (worker.connected) worker.send(order)
}

const lostWith = (seed: number, code: number | null): Outcome => ({
  ...{ seed, hash: '', steps: 0, events: 0, tally: {}, trace: null },
  violations: [`its worker ended with code ${code}: the world hung or crashed`],
})
