import { merge, noFacts } from '@settlewire/core/payment/facts'
import type { Included, Observation } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { wordsOn } from '@settlewire/core/payment/transaction'
import { resource } from '@settlewire/core/wire/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import type { ModelTransaction } from '../../../../test/support/model-chain.ts'
import { blockAt, included, opened, policy } from '../../../../test/support/payments.ts'
import { knownMax, largeMax, rowsMax } from './noise.ts'
import { gather } from './small-change.ts'
import { SumWitnesses } from './sum-witnesses.ts'

const full = 150_000_000n
const small = full / 500n

describe('a payment made in thousands of small transfers', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.start()
  })
  afterEach(() => world.close())

  const parts = (to: string, count: number, from = 0): ModelTransaction[] =>
    Array.from({ length: count }, (_, i) => ({
      txHash: `0x${from + i}`,
      pays: [{ to, amount: small }],
    }))
  const payment = (id: string) => world.engine.payments.get(merchant, id)

  it('counts all of them, with a state that does not grow with their number', async () => {
    const { id, address } = await world.open()
    await world.mine(parts(address, 4_000), { blocks: 3 })
    const paid = await payment(id)
    expect([paid.status, paid.received]).toEqual(['succeeded', small * 4_000n])
    expect(paid.facts.transactions).toHaveLength(knownMax + 1)
    const { transfers } = resource(paid, {
      ...{ policy, visibility: 'ok', merchant: null },
      formatAddress: (_, address) => address,
      explorerUrl: () => 'https://explorer.test',
      paymentUri: () => '',
    })
    const sum = transfers.find(({ count }) => count !== undefined)
    expect(sum).toMatchObject({
      ...{ txHash: null, explorerUrl: null, count: 4_000 - knownMax, stage: 'included' },
      units: String(small * BigInt(4_000 - knownMax)),
    })
    expect(sum).not.toHaveProperty('from')
  })

  it('loses the sum of an orphaned block, and gets it back from another block', async () => {
    const { id, address } = await world.open()
    await world.mine(parts(address, 500))
    world.local.fork(1)
    await world.mine([], { blocks: 1 })
    expect((await payment(id)).received).toBe(0n)
    await world.mine(parts(address, 500), { blocks: 3 })
    expect((await payment(id)).received).toBe(small * 500n)
  })
})

const at = (payment: Payment, observations: readonly Observation[]): Payment => ({
  ...payment,
  facts: observations.reduce((facts, one) => merge(facts, one, payment.terms), payment.facts),
})
const block = (hash: string, count: number, amount = small): Included[] =>
  Array.from({ length: count }, (_, i) => included(`0x${hash}${i}`, amount, blockAt(10, hash), 1))
const moneyOf = ({ facts }: Payment): bigint =>
  facts.transactions
    .flatMap(({ inclusions }) => Object.values(inclusions))
    .filter(({ canonical }) => canonical)
    .flatMap(({ transfers }) => transfers)
    .reduce((sum, { amount }) => sum + amount, 0n)
const start = (): Payment => ({ ...opened().payment, facts: noFacts })

describe('the sum of a block', () => {
  it('is the same when the block is read again, in any order', () => {
    const once = at(start(), gather(start(), block('a', 200)).kept)
    const again = gather(once, [...block('a', 200)].reverse())
    expect(at(once, again.kept).facts.transactions).toEqual(once.facts.transactions)
    expect(moneyOf(once)).toBe(small * 200n)
  })

  it('includes transfers that only a second reading of the whole block shows', () => {
    const lagging = at(start(), gather(start(), block('a', 200)).kept)
    const whole = at(lagging, gather(lagging, block('a', 210)).kept)
    expect(moneyOf(whole)).toBe(small * 210n)
  })

  it('ignores late reports, which may be in it already', () => {
    const known = at(start(), gather(start(), block('a', 200)).kept)
    const more = block('a', 200).slice(100)
    const { kept, left } = gather(known, more, new Set(more))
    expect([kept, left]).toEqual([[], 100])
  })

  it('leaves out transactions recorded by themselves, but not those claimed since', () => {
    const known = at(start(), gather(start(), block('a', 200)).kept)
    const claim: Observation = {
      ...{ kind: 'claimed', source: 'payer', at: 1, chain: 'local', view: 1, txHash: '0xa150' },
    }
    const claimed = at(known, [claim])
    expect(moneyOf(at(claimed, gather(claimed, block('a', 200)).kept))).toBe(small * 200n)
  })

  it('includes large transfers too once there are many, so that the state stays bounded', () => {
    const large = full / 50n
    const known = at(start(), gather(start(), block('a', 1_000, large)).kept)
    expect(known.facts.transactions).toHaveLength(largeMax + 1)
    expect(moneyOf(known)).toBe(large * 1_000n)
    let many = known
    for (let i = 0; i < rowsMax; i++) {
      const facts = block(`b${i}`, 1).map((one) => ({ ...one, block: blockAt(10 + i, 'b') }))
      many = at(many, gather(many, facts).kept)
    }
    expect(many.facts.transactions).toHaveLength(rowsMax)
  })

  it('also sums up the transfers of one transaction', () => {
    const [one] = block('a', 1) as [Included]
    const transfers = Array.from({ length: 4_000 }, (_, part) => ({
      ...{ ...(one.transfers[0] as Included['transfers'][number]), part },
    }))
    const known = at(start(), gather(start(), [{ ...one, transfers }]).kept)
    const [inclusion] = Object.values(known.facts.transactions[0]?.inclusions ?? {})
    expect(inclusion?.transfers).toHaveLength(33)
    expect(moneyOf(known)).toBe(small * 4_000n)
  })

  it('has the sources that have shown all of it, and gains another one once that has', () => {
    const shown = block('a', 200).map((one, i) => ({
      ...one,
      alsoSeenBy: i === 150 ? ['rpc:two'] : ['rpc:two', 'rpc:three'],
    }))
    const known = at(start(), gather(start(), shown).kept)
    const wordsOf = ({ facts }: Payment) => {
      const sum = facts.transactions.find(({ txHash }) => txHash.startsWith('small:'))
      return sum === undefined ? null : wordsOn(sum, blockAt(10, 'a').hash)
    }
    expect(wordsOf(known)?.sources).toEqual(['rpc:one', 'rpc:two'])
    const witnesses = new SumWitnesses()
    const seen = { at: 1, chain: 'local', view: 5 }
    const say = (payment: Payment, one: Included, denies: boolean) =>
      witnesses.factOf(payment, { source: 'rpc:three', inclusion: one, denies }, seen)
    const summed = block('a', 200).slice(knownMax)
    const told = summed.flatMap((one) => say(known, one, false) ?? [])
    expect(told).toMatchObject([{ source: 'rpc:three', txHash: `small:${blockAt(10, 'a').hash}` }])
    const shownBy = wordsOf(at(known, told as Included[]))
    expect(shownBy?.sources).toEqual(['rpc:one', 'rpc:three', 'rpc:two'])
    const denied = say(known, summed[7] as Included, true)
    expect(wordsOf(at(known, [denied as Observation]))?.deniedBy).toEqual(['rpc:three'])
  })

  it('is denied by a provider that denies one of its transactions in the same step', () => {
    const [, , third] = block('a', 200).slice(knownMax) as [Included, Included, Included]
    const denied: Observation = {
      ...{ kind: 'denied', source: 'rpc:two', at: 1, chain: 'local', view: 1 },
      ...{ txHash: third.txHash, blockHash: third.block.hash },
    }
    const { kept } = gather(start(), [denied, ...block('a', 200)])
    expect(kept.filter(({ kind }) => kind === 'denied')).toEqual([
      { ...denied, txHash: `small:${third.block.hash}` },
    ])
  })
})
