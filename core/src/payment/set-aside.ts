import { plain, revive } from '../history/plain-json.ts'
import { type Context, tell } from './decide.ts'
import type { Decision } from './event.ts'
import { mergeAll } from './facts.ts'
import { isSetAside, unjudged } from './judge.ts'
import type { Observation, SetAside } from './observation.ts'
import type { Payment } from './payment.ts'

/** So often what cannot be judged is added to what is held already: what comes then a rescan finds later. */
export const heldMax = 256
/** Anybody can show a pool as much as they like, and what it shows comes again in a block. */
const heldOfPoolsMax = heldMax / 4

/**
 * What to do with observations that a fault of ours keeps from being judged: the payment is set aside,
 * and its status says that nobody can say. They are held with it and not merged, so that nothing is
 * judged here that could meet the same fault. What only says how far was read is not held: it is read
 * again. No events where nothing is added to what was told before.
 */
export function setAside(
  payment: Payment,
  { observations, why }: { readonly observations: readonly Observation[]; readonly why: string },
  context: Context,
): Decision {
  const held = observations.filter(({ kind }) => !passing.has(kind))
  const known = payment.facts.held ?? []
  const isOfPools = held.every(({ kind }) => kind === 'mempool' || kind === 'rival')
  const isFull = known.length >= (isOfPools ? heldOfPoolsMax : heldMax)
  if (isSetAside(payment) && (held.length === 0 || isFull)) return { events: [], payment }
  const at = Math.max(context.at, (payment.facts.takenUpAt ?? 0) + 1)
  const fact: SetAside = {
    ...{ kind: 'set_aside', source: 'settlewire', at, why: why.slice(0, whyMax) },
    held: JSON.stringify(plain(held)),
  }
  const { facts } = mergeAll(payment.facts, [fact], payment.terms)
  const status = 'investigation_required'
  const type = payment.status === status ? 'updated' : status
  return tell({ ...payment, facts }, [{ type, status }], {
    context,
    judgement: unjudged(payment),
    evidence: { facts: [fact], policy: context.policy.version },
  })
}

/** What is held of a payment and is to be tried again, in order; none where it is not set aside. */
export function heldOf(payment: Payment, at: number): readonly Observation[] {
  const { held = [] } = payment.facts
  const last = held.at(-1)
  if (last === undefined) return []
  const taken = { kind: 'taken_up', source: 'settlewire', at: Math.max(at, last.at) } as const
  // As `setAside` wrote it.
  return [taken, ...held.flatMap((one) => revive(JSON.parse(one.held)) as Observation[])]
}

const passing: ReadonlySet<Observation['kind']> = new Set(['head', 'clock', 'taken_up'])
const whyMax = 200
