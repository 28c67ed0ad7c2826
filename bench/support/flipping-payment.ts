import { makeId } from '@settlewire/core/id'
import { decide, open } from '@settlewire/core/payment/decide'
import type { Decision } from '@settlewire/core/payment/event'
import { textsOf } from '@settlewire/core/payment/event-text'
import type { BlockRef, Observation, SeenTransfer } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { systemClock } from '../../server/src/clock.ts'
import { appendOf } from '../../server/src/engine/write/draft.ts'
import type { Append } from '../../server/src/ports/history.ts'
import { sandboxPolicy as policy } from '../../server/src/registry/sandbox.ts'

const hex = (bytes: number): string => `0x${Buffer.from(systemClock.random(bytes)).toString('hex')}`
const share = (expectedSequence: number, { events, payment: state }: Decision): Append =>
  appendOf(paymentKind, {
    ...{ expectedSequence, events: events.map(textsOf), state, depositIndex: null },
  })
const mint = (at: number): string => makeId('evt', at, systemClock.random(10))

/** A payment with endless real events: its transaction is mined, reorged out, mined again, … */
export class FlippingPayment {
  readonly id = makeId('pi', systemClock.now(), systemClock.random(10))
  readonly #token = hex(20)
  readonly #address = hex(20)
  readonly #txHash = hex(32)
  #payment: Payment | null = null
  #block: BlockRef | null = null
  #view = 0

  opening(merchantId: string): Append {
    const at = systemClock.now()
    const accept = {
      asset: 'USDC',
      chain: 'local',
      chainId: 31337,
      token: this.#token,
      decimals: 6,
    }
    const terms = {
      ...{ amount: 150_000_000n, tolerance: 0n, currency: 'USDC', decimals: 6 },
      ...{ accept: [{ ...accept, address: this.#address }], reference: null, metadata: {} },
      ...{ expiresAt: at + 3_600_000, monitorUntil: at + 7_200_000, redirectUrl: null },
      confirmationPolicy: 'default' as const,
    }
    const transactionId = crypto.randomUUID()
    const opening = { kind: 'opened' as const, merchantId, livemode: false, transactionId, terms }
    const { events, payment } = open(this.id, opening, { policy, at, mint })
    this.#payment = payment
    return share(0, { events, payment })
  }

  /** The append of one more event. */
  next(): Append {
    const before = this.#payment
    if (before === null) throw new Error('opening() must be called before next()')
    const observation = before.status === 'confirming' ? this.#reorged() : this.#included()
    const at = systemClock.now()
    const { events, payment } = decide(before, [observation], { policy, at, mint })
    if (events.length !== 1) throw new Error(`${observation.kind} must result in one event`)
    this.#payment = payment
    return share(before.sequence, { events, payment })
  }

  #included(): Observation {
    const seen = this.#seen()
    const transfer: SeenTransfer = {
      ...{ txHash: this.#txHash, part: 0, token: this.#token },
      ...{ from: hex(20), to: this.#address, amount: 150_000_000n },
    }
    this.#block = {
      ...{ number: seen.view, hash: hex(32), parentHash: hex(32) },
      minedAt: systemClock.now(),
    }
    const block = this.#block
    return { ...seen, kind: 'included', txHash: this.#txHash, block, transfers: [transfer] }
  }

  #reorged(): Observation {
    const blockHash = this.#block?.hash ?? ''
    return { ...this.#seen(), kind: 'reorged', txHash: this.#txHash, blockHash, inMempool: false }
  }

  #seen() {
    this.#view++
    return { source: 'rpc:bench', at: systemClock.now(), chain: 'local', view: this.#view }
  }
}
