/** A payer claims a transaction whose block was read without it. */
import { describe, expect, it } from 'vitest'
import { nativeTx, newAddress, tokenTx } from '../support/evm/fake-chain.ts'
import type { FakeNode } from '../support/fake-node.ts'
import type { Stack } from './stack.ts'
import { price, token, twoNodes } from './two-nodes.ts'

/** The answer to a payer's claim, once the node has answered. */
async function answerTo({ engine }: Stack, paymentId: string, txHash: string) {
  for (let tries = 0; ; tries++) {
    const { value } = await engine.payments.claim(null, { paymentId, txHash }, null)
    if (value.known !== 'unsure' || tries === 5) return value
  }
}

type Fields = Record<string, unknown>

describe('a claim of a transfer that the log list of its block left out', () => {
  let node: FakeNode
  const { begin, mine } = twoNodes((first) => {
    node = first
  })
  /** Hides the transaction's log everywhere except in its own receipt. */
  const leaveOut = (hash: string): void => {
    node.twist = (method, answer) =>
      method === 'eth_getLogs' && Array.isArray(answer)
        ? answer.filter((log: Fields) => log.transactionHash !== hash)
        : answer
  }

  it('is answered with pays: true, and its money is found and recorded', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    const tx = tokenTx(token, address, price)
    leaveOut(tx.hash)
    mine([tx, tokenTx(token, newAddress(), 5n)])
    mine()
    await world.at(node.chain.head)
    expect((await world.payment(id)).status).toBe('awaiting')
    expect(await answerTo(world, id, tx.hash)).toMatchObject({ known: 'mined', pays: true })
    mine()
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
  })

  it('is not closed as paid elsewhere when the claim was made before the block', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    const tx = tokenTx(token, address, price)
    const claim = { paymentId: id, txHash: tx.hash }
    const first = await world.engine.payments.claim(null, claim, null)
    expect(first.value).toMatchObject({ known: 'not_found' })
    leaveOut(tx.hash)
    await world.follower.close()
    mine([tx, tokenTx(token, newAddress(), 5n)])
    mine()
    await world.crash()
    await world.at(node.chain.head)
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
    expect((await world.payment(id)).facts.transactions).toMatchObject([{ txHash: tx.hash }])
  })

  it('is answered with pays: false when it is made for another payment', async () => {
    const world = await begin([node])
    const { id, address } = await world.open()
    const other = await world.open()
    const tx = tokenTx(token, address, price)
    leaveOut(tx.hash)
    mine([tx, tokenTx(token, newAddress(), 5n)])
    mine()
    await world.at(node.chain.head)
    expect(await answerTo(world, other.id, tx.hash)).toMatchObject({ known: 'mined', pays: false })
    // The claim also leads to the money of the payment that it does pay.
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === price
    })
    expect((await world.payment(other.id)).status).toBe('awaiting')
  })
})

describe('a claim of a native transfer that its block and the balance left out', () => {
  const ether = { currency: 'ETH', accept: ['ETH.local'], amount: '1.5' }
  const wei = 15n * 10n ** 17n
  let node: FakeNode
  const { begin, mine } = twoNodes((first) => {
    node = first
  })

  it('is answered with pays: true, and its money is found and recorded', async () => {
    const world = await begin([node])
    const { id, address } = await world.open(ether)
    const tx = nativeTx(address, wei)
    let isHidden = true
    const without = (list: readonly unknown[]): readonly unknown[] =>
      list.filter((each) => each !== tx.hash && (each as Fields).hash !== tx.hash)
    node.twist = (method, answer) => {
      if (isHidden && method === 'eth_getBalance') return '0x0'
      const block = answer as Fields | null
      const holds = isHidden && /^eth_getBlock/.test(method) && Array.isArray(block?.transactions)
      return holds ? { ...block, transactions: without(block.transactions as unknown[]) } : answer
    }
    mine([tx, nativeTx(newAddress(), 1n)])
    mine()
    await world.at(node.chain.head)
    expect((await world.payment(id)).status).toBe('awaiting')
    isHidden = false
    expect(await answerTo(world, id, tx.hash)).toMatchObject({ known: 'mined', pays: true })
    await world.until(id, 'money on record', ({ received }) => {
      mine()
      return received === wei
    })
  })
})
