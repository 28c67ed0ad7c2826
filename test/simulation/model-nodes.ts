import { Failure } from '@settlewire/core/errors'
import { leaseOf } from '../../server/src/engine/process/lease-keeper.ts'
import type { Batch, EventStore } from '../../server/src/ports/history.ts'
import type {
  Bulletin,
  Fence,
  LeaseHolder,
  Leases,
  LookUpRequest,
  SightRecord,
  SightUpdate,
} from '../../server/src/ports/processes.ts'
import type { Timeline } from './timeline.ts'

interface Held extends LeaseHolder {
  token: number
  until: number
}

/**
 * Leases and messages between processes on one database. The real tables end leases by the
 * database's clock, which a world cannot control; so this models them in the time of the world.
 */
export class ModelNodes implements Leases, Bulletin {
  readonly #timeline: Timeline
  readonly #leases = new Map<string, Held>()
  readonly #told = new Map<
    string,
    SightUpdate & { readonly revision: number; readonly at: number }
  >()
  readonly #questions = new Map<number, LookUpRequest & { answer: string | null }>()
  readonly #note: (what: string) => void
  #asked = 0

  constructor(timeline: Timeline, note: (what: string) => void) {
    this.#timeline = timeline
    this.#note = note
  }

  /** A store that refuses writes under a lease which another process has taken over. */
  fenced<Store extends Pick<EventStore, 'append' | 'release'>>(store: Store): Store {
    const append: EventStore['append'] = async ({ fences = [], ...batch }: Batch) => {
      if (!fences.every((fence) => this.#stands(fence))) throw new Failure('lease_lost')
      for (const { chain } of batch.cursors ?? []) this.#checkLease(chain, fences)
      return store.append(batch)
    }
    const release: EventStore['release'] = async (ended, fences = []) => {
      if (!fences.every((fence) => this.#stands(fence))) throw new Failure('lease_lost')
      return store.release(ended)
    }
    const own = new Map<string | symbol, unknown>(Object.entries({ append, release }))
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = own.get(name) ?? Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async keep(
    holder: LeaseHolder,
    leases: readonly string[],
    forMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    const now = this.#timeline.elapsed
    const held = new Map<string, number>()
    for (const name of leases) {
      const known = this.#leases.get(name)
      const isFree = known === undefined || known.place === holder.place || known.until < now
      if (!isFree) continue
      const isOurs = known?.process === holder.process
      const token = isOurs ? known.token : (known?.token ?? 0) + 1
      this.#leases.set(name, { ...holder, token, until: now + forMs })
      held.set(name, token)
    }
    return held
  }

  async giveBack({ process }: LeaseHolder): Promise<void> {
    for (const held of this.#leases.values()) {
      if (held.process === process) held.until = Number.NEGATIVE_INFINITY
    }
  }

  async publish(chain: string, { body, word }: SightUpdate, fence: Fence): Promise<number | null> {
    if (!this.#stands(fence)) return null
    const before = this.#told.get(chain)
    const revision = (before?.revision ?? 0) + (before?.word === word ? 0 : 1)
    this.#told.set(chain, { body, word, revision, at: this.#timeline.elapsed })
    return revision
  }

  async published(): Promise<readonly SightRecord[]> {
    const now = this.#timeline.elapsed
    return [...this.#told].map(([chain, { body, revision, at }]) => ({
      ...{ chain, body, revision, ageMs: now - at },
    }))
  }

  async ask(chain: string, txHash: string): Promise<number> {
    const id = ++this.#asked
    this.#questions.set(id, { id, chain, txHash, answer: null })
    return id
  }

  async questions(chains: readonly string[]): Promise<readonly LookUpRequest[]> {
    return [...this.#questions.values()].filter(
      ({ chain, answer }) => answer === null && chains.includes(chain),
    )
  }

  async answer(id: number, body: string): Promise<void> {
    const question = this.#questions.get(id)
    if (question !== undefined) question.answer = body
  }

  async answerTo(id: number): Promise<string | null> {
    const answer = this.#questions.get(id)?.answer ?? null
    if (answer !== null) this.#questions.delete(id)
    return answer
  }

  async withdraw(id: number): Promise<void> {
    this.#questions.delete(id)
  }

  /** Where chains have leases, no step is stored without the lease of its chain. */
  #checkLease(chain: string, fences: readonly Fence[]): void {
    const lease = leaseOf(chain)
    if (!this.#leases.has(lease) || fences.some((fence) => fence.lease === lease)) return
    this.#note(`a step of ${chain} is stored without its lease`)
  }

  #stands({ lease, token }: Fence): boolean {
    return this.#leases.get(lease)?.token === token
  }
}
