import type { Included, Source } from '@settlewire/core/observation'
import type { Payment } from '@settlewire/core/payment'
import type { ChainHead } from '@settlewire/core/policy'
import type { Clock, Corroborated, Log } from '../ports.ts'
import { leaveParts } from './noise.ts'
import { type Judge, observe } from './observe.ts'
import type { WatchIndex } from './watch-index.ts'
import type { Writer } from './writer.ts'

export interface CorroborationsOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  readonly writer: Writer
  readonly index: WatchIndex
  readonly log: Log
  /** As of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
}

/** One that cannot be recorded yet: its block is not stored, or the store did not answer. */
interface Kept {
  readonly source: Source
  readonly inclusion: Corroborated
}

/** Kept for later on one chain; of more the oldest is let go, which costs a flag and no money. */
const keptMax = 10_000

/**
 * Adds further sources to what blocks hold, where the policy asks for more than one. Only what is on
 * record as canonical is corroborated: another provider's word alone moves nothing.
 */
export class Corroborations {
  readonly #options: CorroborationsOptions
  readonly #kept = new Map<string, Kept[]>()

  constructor(options: CorroborationsOptions) {
    this.#options = options
  }

  /** Never rejects. What cannot be recorded now is tried again with the next step of its chain. */
  async take(chain: string, source: Source, inclusions: readonly Corroborated[]): Promise<void> {
    const { policy, headOf, log } = this.#options
    if ((policy.chains[chain]?.quorum ?? 1) <= 1) return
    const head = headOf(chain)?.head ?? -1
    const ready = inclusions.filter(({ block }) => block.number <= head)
    const early = inclusions.filter(({ block }) => block.number > head)
    this.#keep(chain, source, early)
    if (ready.length === 0) return
    try {
      await this.#record(chain, source, ready)
    } catch (error) {
      log.warn({ chain, error }, 'further sources not recorded; tried again')
      this.#keep(chain, source, ready)
    }
  }

  /** A step of this chain was stored. */
  async advanced(chain: string): Promise<void> {
    const kept = this.#kept.get(chain)
    if (kept === undefined) return
    this.#kept.delete(chain)
    const ofSource = new Map<Source, Corroborated[]>()
    for (const { source, inclusion } of kept) {
      ofSource.set(source, [...(ofSource.get(source) ?? []), inclusion])
    }
    for (const [source, inclusions] of ofSource) await this.take(chain, source, inclusions)
  }

  #keep(chain: string, source: Source, inclusions: readonly Corroborated[]): void {
    if (inclusions.length === 0) return
    const kept = this.#kept.get(chain) ?? []
    for (const inclusion of inclusions) kept.push({ source, inclusion })
    this.#kept.set(chain, kept.slice(-keptMax))
  }

  async #record(chain: string, source: Source, inclusions: readonly Corroborated[]): Promise<void> {
    const { writer, clock } = this.#options
    const ofPayment = this.#sort(chain, inclusions)
    if (ofPayment.size === 0) return
    const seen = { source, at: clock.now(), chain }
    await writer.submit({
      ids: [...ofPayment.keys()],
      decide: (payments) => ({
        decisions: [...ofPayment].flatMap(([id, facts]) => {
          const payment = payments.get(id)
          if (payment === null) return []
          const further = facts.flatMap((fact) => this.#furtherOf(payment, { ...seen, ...fact }))
          return further.length === 0 ? [] : [observe(payment, further, this.#options)]
        }),
        answer: null,
      }),
    })
  }

  #sort(
    chain: string,
    inclusions: readonly Corroborated[],
  ): ReadonlyMap<string, readonly Corroborated[]> {
    const watched = this.#options.index.chain(chain)
    const ofPayment = new Map<string, Corroborated[]>()
    for (const inclusion of inclusions) {
      const payees = new Set(inclusion.transfers.map(({ to }) => watched?.payee(to) ?? null))
      for (const payee of payees) {
        if (payee === null) continue
        const transfers = inclusion.transfers.filter(
          ({ to, amount }) => watched?.payee(to) === payee && amount > 0n,
        )
        if (transfers.length === 0) continue
        ofPayment.set(payee, [...(ofPayment.get(payee) ?? []), { ...inclusion, transfers }])
      }
    }
    return ofPayment
  }

  /** At the view of the inclusion itself: a reorg that is known by then still wins. */
  #furtherOf(payment: Payment, fact: Omit<Included, 'kind' | 'view'>): readonly Included[] {
    const { facts } = payment
    const { chain, txHash, block, source } = fact
    const known = facts.transactions.find((it) => it.chain === chain && it.txHash === txHash)
    const inclusion = known?.inclusions[block.hash]
    const quorum = this.#options.policy.chains[chain]?.quorum ?? 1
    if (inclusion?.canonical !== true || inclusion.outcome !== 'paid') return []
    if (inclusion.sources.includes(source) || inclusion.sources.length >= quorum) return []
    // Read again, a block may show more than was told, such as coins that a balance has told since.
    const places = new Set(inclusion.transfers.map(({ ordinal }) => ordinal))
    const transfers = fact.transfers.filter(({ ordinal }) => places.has(ordinal))
    if (transfers.length === 0) return []
    return [leaveParts(payment, { ...fact, transfers, kind: 'included', view: inclusion.view })]
  }
}
