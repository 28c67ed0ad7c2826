import type { Payment } from '@settlewire/core/payment/payment'
import type { Chance } from './chance.ts'
import {
  addressOf,
  type Entry,
  hashOf,
  type ModelLog,
  type ModelTx,
  type Move,
  slotOf,
  transferLog,
  word,
} from './model-block.ts'
import type { ModelChain } from './model-chain.ts'

/** The tokens of a world. */
export interface Coins {
  readonly accepted: string
  /** Known to the server, but accepted by no payment. */
  readonly strange: string
}

/** The share of the amount due that is sent. */
const shares = {
  exact: (amount: bigint) => amount,
  over: (amount: bigint) => amount + amount / 10n,
  half: (amount: bigint) => amount / 2n,
  rest: (amount: bigint) => amount - amount / 2n,
  nearly: (amount: bigint) => amount - 1n,
  nothing: () => 0n,
} as const
type Share = keyof typeof shares

const shareWeights: Readonly<Record<Share, number>> = {
  ...{ exact: 8, over: 1, half: 2, rest: 2, nearly: 1, nothing: 1 },
}

/** A plain transfer, an opaque contract, the native coin, or a contract that passes the coin on. */
type Way = 'plain' | 'contract' | 'native' | 'inner'

export interface PayersParts {
  readonly chance: Chance
  readonly salt: string
  readonly coins: Coins
  readonly send: (chain: ModelChain, tx: ModelTx) => void
  readonly now: () => number
}

/** Payers. They pay exactly, twice, in parts, late, through contracts, or not at all. */
export class Payers {
  /** All transactions sent to each chain, including those dropped since. */
  readonly sent: { readonly chain: ModelChain; readonly tx: ModelTx }[] = []
  /** Transactions that competed for a slot, or whose slot was used silently. */
  readonly contested = new Set<string>()
  readonly #parts: PayersParts
  #made = 0

  constructor(parts: PayersParts) {
    this.#parts = parts
  }

  /** Sends one transaction to one address, to several, or several times to one. */
  pay(chain: ModelChain, payees: readonly Payment[]): string {
    const { chance } = this.#parts
    const moves = payees.flatMap((payment) =>
      Array.from({ length: chance.is(0.15) ? 2 : 1 }, () => this.#moveTo(payment)),
    )
    const [first] = moves
    if (first === undefined) return 'no payment to pay'
    const isPlain = moves.length === 1 && first.move.token !== null && chance.is(0.7)
    const coinWay: Way = chance.is(0.4) ? 'inner' : 'native'
    const way: Way = first.move.token === null ? coinWay : isPlain ? 'plain' : 'contract'
    const isCoin = first.move.token === null
    const kept = isCoin ? [first] : moves.filter(({ move }) => move.token !== null)
    const tx = this.#make({ way, moves: kept.map(({ move }) => move), isPrivate: chance.is(0.25) })
    this.#send(chain, tx)
    return `${way} ${kept.map(({ share, payment }) => `${share} to ${nameOf(payment)}`).join(' + ')} ${short(tx)}`
  }

  /** Sends a token that the payment does not accept, or zero of the right one. */
  spam(chain: ModelChain, payment: Payment): string {
    const { chance, coins } = this.#parts
    const [to = ''] = payment.terms.accept.map(({ address }) => address)
    const move: Move = chance.is(0.5)
      ? { to, token: coins.strange, amount: 70_000_000n }
      : { to, token: coins.accepted, amount: 0n }
    const tx = this.#make({ way: 'plain', moves: [move], isPrivate: chance.is(0.5) })
    this.#send(chain, tx)
    return `spam to ${nameOf(payment)} ${short(tx)}`
  }

  /** Sends another transaction for the slot of a pending one: with the same moves, or with none. */
  replace(how: 'speed_up' | 'cancel'): string {
    const { chance } = this.#parts
    const waiting = this.sent.filter(({ chain, tx }) => chain.pool.has(tx.hash) && !tx.isPrivate)
    if (waiting.length === 0) return 'nothing to replace'
    const { chain, tx } = chance.pick(waiting)
    const isSpeedUp = how === 'speed_up'
    const name = this.#name()
    const next: ModelTx = {
      ...tx,
      ...(isSpeedUp ? {} : { to: tx.sender, value: 0n, input: '0x', logs: [], moves: [] }),
      hash: hashOf(`${name} replaces`),
      feePerGas: tx.feePerGas * 2n,
      sentAt: this.#parts.now(),
    }
    for (const each of [tx, next]) this.contested.add(each.hash)
    this.#send(chain, next)
    return `${how} ${short(tx)} by ${short(next)}`
  }

  /** A generous payment, for a stray chain that no payment accepts. */
  gift(payment: Payment): Entry {
    const moves = payment.terms.accept
      .slice(0, 1)
      .map(
        ({ address, token }): Move => ({ to: address, token, amount: payment.terms.amount * 3n }),
      )
    const way = moves[0]?.token === null ? 'native' : 'contract'
    return { tx: this.#make({ way, moves, isPrivate: true }), reverts: false }
  }

  /** A full payment that is never made; null if only the native coin is accepted. */
  forge(payment: Payment, chain: string): Entry | null {
    const { amount, accept } = payment.terms
    const wanted = accept.find((one) => one.chain === chain && one.token !== null)
    if (wanted === undefined) return null
    const move = { to: wanted.address, token: wanted.token, amount }
    return { tx: this.#make({ way: 'plain', moves: [move], isPrivate: true }), reverts: false }
  }

  /** Picks the slot of a pending transaction to be used silently. Null if none is pending. */
  silently(chain: ModelChain): string | null {
    const waiting = [...chain.pool.values()].filter(({ isPrivate }) => !isPrivate)
    if (waiting.length === 0) return null
    const tx = this.#parts.chance.pick(waiting)
    this.contested.add(tx.hash)
    return slotOf(tx)
  }

  /** Drops a pending transaction from all pools. */
  drop(): string {
    const waiting = this.sent.filter(({ chain, tx }) => chain.pool.has(tx.hash))
    if (waiting.length === 0) return 'nothing to drop'
    const { chain, tx } = this.#parts.chance.pick(waiting)
    chain.drop(tx.hash)
    return `drop ${short(tx)}`
  }

  /** Sends an earlier transaction again, whether it was dropped or not. */
  again(): string {
    if (this.sent.length === 0) return 'nothing to repeat'
    const { chain, tx } = this.#parts.chance.pick(this.sent)
    if (chain.isUsed(slotOf(tx))) return 'too late to repeat'
    chain.send(tx)
    this.#parts.send(chain, tx)
    return `again ${short(tx)}`
  }

  #moveTo(payment: Payment): { move: Move; share: Share; payment: Payment } {
    const { chance } = this.#parts
    const accept = chance.pick(payment.terms.accept)
    const share = chance.weighted(shareWeights)
    const asked = payment.terms.amount
    const amount = shares[share](asked)
    return { move: { to: accept.address, token: accept.token, amount }, share, payment }
  }

  #make(made: { way: Way; moves: readonly Move[]; isPrivate: boolean }): ModelTx {
    const { way, moves, isPrivate } = made
    const { chance, coins, now } = this.#parts
    const name = this.#name()
    const sender = addressOf(`${name} sender`)
    const [first] = moves
    const common = {
      ...{ hash: hashOf(name), sender, nonce: chance.between(0, 9) },
      ...{ feePerGas: BigInt(chance.between(1, 100)), moves, isPrivate, sentAt: now() },
    }
    if (way === 'native' && first !== undefined) {
      return { ...common, to: first.to, value: first.amount, input: '0x', logs: [] }
    }
    const logs = moves.flatMap((move) => [
      ...(way === 'contract' && chance.is(0.6) ? [unrelated(name)] : []),
      ...(move.token === null ? [] : [transferLog({ ...move, token: move.token }, sender)]),
    ])
    if (way === 'plain' && first !== undefined) {
      const input = `0xa9059cbb${word(first.to).slice(2)}${word(first.amount).slice(2)}`
      return { ...common, to: first.token ?? coins.accepted, value: 0n, input, logs }
    }
    return {
      ...common,
      to: addressOf('a router'),
      value: 0n,
      input: `0x5ae401dc${'00'.repeat(64)}`,
      logs,
    }
  }

  #send(chain: ModelChain, tx: ModelTx): void {
    this.sent.push({ chain, tx })
    chain.send(tx)
    this.#parts.send(chain, tx)
  }

  #name(): string {
    return `${this.#parts.salt} payer ${++this.#made}`
  }
}

/** A log that contracts emit besides transfers. */
const unrelated = (name: string): ModelLog => ({
  address: addressOf('a router'),
  topics: [hashOf('Swap')],
  data: word(BigInt(name.length)),
})

export const nameOf = ({ id }: Payment): string => id.slice(-4)
export const short = ({ hash }: ModelTx): string => hash.slice(2, 8)
