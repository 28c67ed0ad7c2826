import { randomBytes } from 'node:crypto'
import { makeId } from '@settlewire/core/id'
import { decide, open } from '@settlewire/core/payment/decide'
import type { Decision, PaymentEvent } from '@settlewire/core/payment/event'
import { textsOf } from '@settlewire/core/payment/event-text'
import type { BlockRef, Included, Observation } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import { appendOf as shareOf } from '../../server/src/engine/write/draft.ts'
import type { Append } from '../../server/src/ports/history.ts'
import { blockAt, bornAt, termsOf, usdc } from './payments.ts'

export interface ScriptOptions {
  readonly merchantId?: string
  readonly livemode?: boolean
  readonly reference?: string | null
  readonly metadata?: Record<string, string>
  readonly bornAt?: number
  readonly depositIndex?: number
  /** The block of its transaction. */
  readonly block?: number
  /** The number of blocks until it is settled. */
  readonly settled?: number
}

const hex = (bytes: number): string => `0x${randomBytes(bytes).toString('hex')}`
const mint = (at: number): string => makeId('evt', at, randomBytes(10))

/**
 * A real payment, decided by the real rules, that advances step by step: created, detected,
 * confirming block by block (3 by default), succeeded, finalized. Each has an id, an address and a
 * transaction of its own.
 */
export class ScriptedPayment {
  readonly id: string
  readonly address = hex(20)
  readonly txHash = hex(32)
  readonly block: BlockRef
  readonly #opening: Scripted
  readonly #policy: Policy
  readonly #script: Observation[]
  #events: PaymentEvent[] = []
  #payment: Payment

  constructor(options: ScriptOptions = {}) {
    const at = options.bornAt ?? bornAt
    this.id = makeId('pi', at, randomBytes(10))
    this.block = blockAt(options.block ?? 10)
    this.#policy = scriptPolicy(options.settled ?? 3)
    const accept = { asset: 'USDC', chain: 'local', chainId: 31337, token: usdc, decimals: 6 }
    const terms = termsOf({
      accept: [{ ...accept, address: this.address }],
      reference: options.reference ?? null,
      metadata: options.metadata ?? {},
      expiresAt: at + 1_800_000,
      monitorUntil: at + 88_200_000,
    })
    const { payment, events } = open(
      this.id,
      {
        kind: 'opened',
        merchantId: options.merchantId ?? 'mer_test',
        livemode: options.livemode ?? false,
        transactionId: '00000000-0000-4000-8000-000000000000',
        terms,
      },
      { policy: this.#policy, at, mint },
    )
    this.#opening = scripted(0, { events, payment }, options.depositIndex)
    this.#payment = payment
    this.#events = [...events]
    this.#script = this.#way(at, options.settled ?? 3)
  }

  /** All events up to the last step. */
  get events(): readonly PaymentEvent[] {
    return this.#events
  }

  /** The payment after the last step. */
  get payment(): Payment {
    return this.#payment
  }

  /** Whether the script has further steps. */
  get goesOn(): boolean {
    return this.#script.length > 0
  }

  opening(): Scripted {
    return this.#opening
  }

  /** The next step of the script. */
  step(): Scripted {
    const observation = this.#script.shift()
    if (observation === undefined) throw new Error('the script is over')
    return this.observe(observation)
  }

  /** Applies an observation outside of the script. Throws when it emits no event. */
  observe(observation: Observation): Scripted {
    const before = this.#payment
    const append = appendOf(before, observation, this.#policy)
    this.#payment = append.state
    this.#events = [...this.#events, ...append.decided]
    return append
  }

  /** The creation and the whole script, as one append. */
  whole(): Scripted {
    while (this.goesOn) this.step()
    const { depositIndex } = this.#opening
    return scripted(0, { events: this.#events, payment: this.#payment }, depositIndex)
  }

  /** Continues from a state that another process stored. */
  adopt(payment: Payment): void {
    this.#payment = payment
  }

  inMempool(view = 0): Observation {
    return { ...this.#seen(view), kind: 'mempool', transfer: this.#transfer('hint') }
  }

  included(view: number, block = this.block): Included {
    const { txHash } = this
    const transfers = [this.#transfer(0)]
    return { ...this.#seen(view), kind: 'included', txHash, block, transfers }
  }

  reorged(view: number, inMempool: boolean, block = this.block): Observation {
    const { txHash } = this
    return { ...this.#seen(view), kind: 'reorged', txHash, blockHash: block.hash, inMempool }
  }

  #way(at: number, settled: number): Observation[] {
    const { number } = this.block
    return [
      { ...this.inMempool(), at } as Observation, // the spread of a union keeps its member
      this.included(1),
      ...Array.from({ length: settled - 1 }, (_, index) => headOf(number + index + 1, index + 2)),
      headOf(number + settled + 20, settled + 2, number + 10),
    ]
  }

  #seen(view: number) {
    return { source: 'rpc:one', chain: 'local', view, at: this.#payment.createdAt + view * 2_000 }
  }

  #transfer(part: 0 | 'hint') {
    const from = `0x${'bb'.repeat(20)}`
    return {
      txHash: this.txHash,
      part,
      token: usdc,
      from,
      to: this.address,
      amount: 150_000_000n,
    }
  }
}

const policies = new Map<number, Policy>()

/** The policy of `payments.ts` with another number of blocks, which is in its version. */
export function scriptPolicy(settled: number): Policy {
  const local = { settled, final: 'finalized' as const, quorum: 1 }
  const known = policies.get(settled) ?? { version: `blocks-${settled}`, chains: { local } }
  policies.set(settled, known)
  return known
}

/** The policy for a version of `scriptPolicy`. */
export const scriptPolicyOf = (version: string): Policy =>
  scriptPolicy(Number(version.replace('blocks-', '')))

const heads = new Map<string, Observation>()

/** The chain's head at a height: one fact for all payments, as a follower reports it. */
export function headOf(head: number, view: number, finalized: number | null = null): Observation {
  const key = `${head} ${view} ${finalized}`
  const at = bornAt + view * 2_000
  const seen = { source: 'rpc:one', chain: 'local', view, at }
  const known = heads.get(key) ?? { ...seen, kind: 'head', head, safe: finalized, finalized }
  heads.set(key, known)
  return known
}

/** The append that an observation causes in a payment. Throws when it emits no event. */
export function appendOf(
  payment: Payment,
  observation: Observation,
  policy: Policy = scriptPolicy(3),
): Scripted {
  const decision = decide(payment, [observation], {
    policy,
    at: observation.at,
    mint,
  })
  if (decision.events.length === 0) throw new Error(`${observation.kind} emitted no event`)
  return scripted(payment.sequence, decision)
}

/** An append, with the resulting payment and the decided events. */
export interface Scripted extends Append {
  readonly state: Payment
  readonly decided: readonly PaymentEvent[]
}

/** Encoded once, on first access, so that it does not add to the measured cost of an append. */
function scripted(
  expectedSequence: number,
  { events: decided, payment: state }: Decision,
  depositIndex?: number,
): Scripted {
  let share: Append | null = null
  const made = (): Append => {
    share ??= shareOf(paymentKind, {
      ...{ expectedSequence, events: decided.map(textsOf), state, depositIndex: null },
    })
    return share
  }
  return {
    subject: { kind: paymentKind.name, id: state.id },
    ...{ merchantId: state.merchantId, livemode: state.livemode, expectedSequence },
    get events() {
      return made().events
    },
    get projection() {
      return made().projection
    },
    ...{ state, decided },
    ...(depositIndex === undefined ? {} : { depositIndex }),
  }
}
