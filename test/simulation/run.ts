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
  /** An existing PostgreSQL to use; the run does not close it. */
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

/**
 * How many worlds run in one database. Nothing is vacuumed, so it becomes slower with every world:
 * after 175 of them by a quarter.
 */
const worldsPerDatabase = 50

/** A world that is running. */
interface Pending {
  readonly timer: NodeJS.Timeout
  readonly database: LaneDatabase
}

/** Runs all these worlds, concurrently in their own processes. */
export async function runSeeds(options: RunOptions): Promise<RunResult> {
  const startedAt = performance.now()
  const ground = options.ground ?? (await openGround())
  const run = new Run(options, ground)
  try {
    const { workers = 2 } = options
    await Promise.all(Array.from({ length: workers }, () => run.runWorker()))
  } finally {
    if (options.ground === undefined) await ground.close()
  }
  const outcomes = run.outcomes.sort((a, b) => a.seed - b.seed)
  const failed = outcomes.filter(({ violations }) => violations.length > 0)
  return { outcomes, failed, tookMs: performance.now() - startedAt }
}

/** The database of one lane. */
interface LaneDatabase {
  url: string
  /** How many worlds have begun in it. */
  worlds: number
}

class Run {
  readonly outcomes: Outcome[] = []
  readonly #options: RunOptions
  readonly #ground: Ground
  readonly #left: number[]

  constructor(options: RunOptions, ground: Ground) {
    this.#options = options
    this.#ground = ground
    this.#left = [...options.seeds]
  }

  /** Runs one worker until there are no seeds left. */
  async runWorker(): Promise<void> {
    const { fault, signal, lanes = 3 } = this.#options
    const databases: LaneDatabase[] = []
    for (let i = 0; i < lanes; i++) {
      databases.push({ url: await this.#ground.database(), worlds: 0 })
    }
    const worker = fork(join(import.meta.dirname, 'worker.ts'), [fault ?? '-'], {
      // Setting these also leaves out the loaders that Vitest adds to this process. Worlds allocate many short-lived
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
    const pending = new Map<number, Pending>()
    const next = async (database: LaneDatabase): Promise<void> => {
      await this.#sendNext(worker, pending, database)
      if (pending.size === 0) send(worker, 'end')
    }
    worker.on('message', (message: Outcome | 'ready') => {
      if (message === 'ready') {
        for (const database of databases) void next(database).catch(abandon)
        return
      }
      const done = pending.get(message.seed)
      clearTimeout(done?.timer)
      pending.delete(message.seed)
      this.#record(message)
      if (done !== undefined) void next(done.database).catch(abandon)
    })
    const code = await ended
    signal?.removeEventListener('abort', abandon)
    for (const { timer } of pending.values()) clearTimeout(timer)
    for (const seed of pending.keys()) this.#record(outcomeOfLost(seed, code))
    if (code !== 0 && pending.size === 0 && signal?.aborted !== true)
      throw new Error(`a worker ended with code ${code}`)
  }

  async #sendNext(
    worker: ChildProcess,
    pending: Map<number, Pending>,
    database: LaneDatabase,
  ): Promise<void> {
    const seed = this.#left.shift()
    if (seed === undefined) return
    const timer = setTimeout(() => worker.kill('SIGKILL'), worldWithinMs)
    pending.set(seed, { timer, database })
    const replaced = database.worlds >= worldsPerDatabase ? database.url : null
    if (replaced !== null) {
      database.url = await this.#ground.database()
      database.worlds = 0
    }
    database.worlds++
    send(worker, { seed, database: database.url, replaced })
    if (replaced !== null) await this.#ground.drop(replaced)
  }

  #record(outcome: Outcome): void {
    this.outcomes.push(outcome)
    this.#options.onOutcome?.(outcome)
    if (this.#options.enough?.(outcome) === true) this.#left.length = 0
  }
}

const send = (worker: ChildProcess, order: Order): void => {
  if (worker.connected) worker.send(order)
}

const outcomeOfLost = (seed: number, code: number | null): Outcome => ({
  ...{ seed, hash: '', steps: 0, events: 0, tally: {}, trace: null },
  violations: [`its worker ended with code ${code}: the world hung or crashed`],
})
