import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pastOf } from '../support/past.ts'
import { RealChain } from './real-chain.ts'
import { Stack, type StackOptions } from './stack.ts'

/** Known failures of other systems, on a real chain behind two connections that can fail. */
describe('on a real chain', () => {
  let chain: RealChain
  let stack: Stack
  const price = 150_000_000n

  const begin = async (
    options: Partial<StackOptions> = {},
    args: readonly string[] = [],
  ): Promise<void> => {
    chain = await RealChain.start(args)
    const { port, chainId } = chain.anvil
    stack = await Stack.start({ ports: [port, port], chainId, token: chain.token, ...options })
    await stack.at(await chain.mine())
  }
  const mine = async (blocks = 1): Promise<void> => stack.at(await chain.mine(blocks))
  const wire = (at: number) => {
    const found = stack.wires[at]
    if (found === undefined) throw new Error('there are two wires')
    return found
  }

  beforeEach(() => {
    expect.hasAssertions()
  })
  afterEach(async () => {
    await stack.close()
    await chain.stop()
  })

  it('a payment by a contract counts, although its calldata contains no known `transfer`', async () => {
    await begin()
    const { id, address } = await stack.open()
    await chain.call(chain.payer, 'payer', 'payTokens', [chain.token, [address], [price]])
    await mine()
    expect((await stack.payment(id)).status).toBe('confirming')
    await mine(2)
    expect(await stack.status(id, 'succeeded')).toMatchObject({ received: price })
  })

  it('two transfers of one transaction to the same address both count', async () => {
    await begin()
    const { id, address } = await stack.open()
    const half = price / 2n
    const to = [address, address]
    await chain.call(chain.payer, 'payer', 'payTokens', [chain.token, to, [half, half]])
    await mine(3)
    const { received, flags } = await stack.status(id, 'succeeded')
    expect({ received, flags }).toEqual({ received: price, flags: ['multiple_transfers'] })
  })

  it('a reorg is detected by parent hashes, and takes the payment back', async () => {
    await begin()
    const { id, address } = await stack.open()
    await chain.pay(address, price)
    await mine()
    expect((await stack.payment(id)).status).toBe('confirming')
    await chain.reorg(1)
    await stack.at(await chain.head())
    expect(await stack.status(id, 'awaiting')).toMatchObject({
      ...{ received: 0n, reason: 'transaction_reorged', flags: ['reorg_seen'] },
    })
    expect((await stack.history(id)).at(-1)).toBe('reorged:awaiting')
  })

  it('a transaction that moves to another block by a reorg counts once', async () => {
    await begin()
    const { id, address } = await stack.open()
    const signed = await chain.sign(address, price)
    await chain.send(signed)
    await mine()
    await chain.reorg(1)
    await mine()
    await chain.pay(`0x${'77'.repeat(20)}`, 1n)
    await chain.send(signed)
    await mine(3)
    const { received, flags, facts } = await stack.status(id, 'succeeded')
    expect({ received, flags }).toEqual({ received: price, flags: ['reorg_seen'] })
    expect(facts.transactions).toHaveLength(1)
  })

  it('a half-open connection delays blocks but loses none', async () => {
    await begin()
    const { id, address } = await stack.open()
    wire(0).set({ mode: 'half_open' })
    await chain.pay(address, price)
    const pending = await stack.status(id, 'pending_detected')
    expect(pending.pending).toBe(price)
    await mine(3)
    await stack.sight('the dead wire shows', ({ follower }) =>
      (follower.health().providers ?? []).some(({ visibility }) => visibility !== 'ok'),
    )
    // From here on only one provider is left, so the payment is flagged.
    await mine()
    expect((await stack.status(id, 'succeeded')).flags).toEqual(['single_source'])
    wire(0).set({ mode: 'ok' })
    await stack.sight('both are well again', ({ follower }) =>
      (follower.health().providers ?? []).every(({ visibility }) => visibility === 'ok'),
    )
  })

  it('blocks mined during an outage of all providers are read afterwards, also by a new process', async () => {
    await begin()
    const first = await stack.open()
    const second = await stack.open()
    for (const each of stack.wires) each.set({ mode: 'outage' })
    await chain.pay(first.address, price)
    await chain.mine(40)
    await stack.crash()
    await chain.pay(second.address, price)
    await chain.mine(40)
    for (const each of stack.wires) each.set({ mode: 'ok' })
    await stack.at(await chain.head())
    for (const { id } of [first, second]) {
      expect(await stack.status(id, 'succeeded')).toMatchObject({ received: price })
    }
  })

  it('after a speed-up that still pays, the payment stays detected under the new hash', async () => {
    await begin()
    const { id, address } = await stack.open()
    const nonce = await chain.nonce()
    const slow = await chain.send(await chain.sign(address, price, { nonce }))
    await stack.status(id, 'pending_detected')
    const more = { nonce, maxFeePerGas: 3n * 10n ** 10n, maxPriorityFeePerGas: 3n * 10n ** 9n }
    const fast = await chain.send(await chain.sign(address, price, more))
    await stack.until(id, 'replaced', ({ flags }) => flags.includes('replaced_seen'))
    const { status, pending } = await stack.payment(id)
    expect({ status, pending }).toEqual({ status: 'pending_detected', pending: price })
    const told = (await pastOf(stack.store.events, id)).at(-1)
    expect(told).toMatchObject({
      type: 'replaced',
      data: { txHash: fast, replacedTxHash: slow, reason: 'replaced_still_pays' },
    })
    await mine(3)
    expect(await stack.status(id, 'succeeded')).toMatchObject({ received: price, pending: 0n })
  })

  it('a payment is awaiting again when its sender cancels the transaction', async () => {
    await begin()
    const { id, address } = await stack.open()
    const nonce = await chain.nonce()
    await chain.send(await chain.sign(address, price, { nonce }))
    await stack.status(id, 'pending_detected')
    const more = { nonce, maxFeePerGas: 3n * 10n ** 10n, maxPriorityFeePerGas: 3n * 10n ** 9n }
    await chain.send(await chain.sign(chain.wallet.address, 0n, more))
    await stack.status(id, 'awaiting')
    expect(await stack.history(id)).toEqual([
      ...['created:awaiting', 'pending:pending_detected', 'replaced:awaiting'],
    ])
    await mine(12)
    expect(await stack.payment(id)).toMatchObject({ status: 'awaiting', pending: 0n, received: 0n })
  })

  it('a pending payment is awaiting again when an EIP-7702 authorization uses its nonce', async () => {
    await begin({}, ['--hardfork', 'prague'])
    const { id, address } = await stack.open()
    const nonce = await chain.nonce()
    await chain.send(await chain.sign(address, price, { nonce }))
    await stack.status(id, 'pending_detected')
    // The authorization offers a higher fee, so the block runs it first.
    await chain.useUpNonce(nonce)
    await mine()
    expect(await chain.nonce()).toBe(nonce + 1)
    const { reason, flags } = await stack.status(id, 'awaiting')
    expect({ reason, flags }).toEqual({ reason: 'replaced_elsewhere', flags: ['replaced_seen'] })
  })

  it('a dropped transaction expires after its time-out, and can still be mined later', async () => {
    await begin({ asset: { pendingTtlMs: 1_500 } })
    const { id, address } = await stack.open()
    const signed = await chain.sign(address, price)
    const txHash = await chain.send(signed)
    await stack.status(id, 'pending_detected')
    await chain.anvil.rpc('anvil_dropTransaction', [txHash])
    await stack.status(id, 'pending_expired')
    await chain.send(signed)
    await stack.status(id, 'pending_detected')
    await mine(3)
    expect(await stack.status(id, 'succeeded')).toMatchObject({ received: price })
    expect((await stack.history(id)).slice(0, 4)).toEqual([
      ...['created:awaiting', 'pending:pending_detected'],
      ...['pending_expired:pending_expired', 'pending:pending_detected'],
    ])
  })

  it('a payment is awaiting, not failed, when its transaction reverts', async () => {
    await begin()
    const { id, address } = await stack.open()
    await chain.pay(address, 10n ** 40n)
    await stack.status(id, 'pending_detected')
    await mine()
    expect(await stack.status(id, 'awaiting')).toMatchObject({
      ...{ received: 0n, pending: 0n, reason: 'transaction_reverted' },
    })
  })

  it('a zero transfer and an unknown token pay nothing', async () => {
    await begin()
    const { id, address } = await stack.open()
    await chain.pay(address, 0n)
    await chain.pay(address, price, chain.toll)
    await mine(3)
    expect(await stack.payment(id)).toMatchObject({ status: 'awaiting', received: 0n, flags: [] })
  })

  it('a known token that the payment does not accept is flagged and not counted', async () => {
    await begin()
    await stack.close()
    const { port, chainId } = chain.anvil
    const tokens = [chain.token, chain.toll]
    stack = await Stack.start({
      ...{ ports: [port, port], chainId, token: chain.token, chain: { tokens } },
    })
    const { id, address } = await stack.open()
    await chain.pay(address, price, chain.toll)
    await mine()
    const { status, received, flags } = await stack.until(
      id,
      'flagged',
      ({ flags }) => flags.length > 0,
    )
    expect({ status, received, flags }).toEqual({
      ...{ status: 'awaiting', received: 0n, flags: ['wrong_token'] },
    })
  })

  it('the amount that arrived counts when the token keeps a fee', async () => {
    await begin()
    await stack.close()
    const { port, chainId } = chain.anvil
    stack = await Stack.start({ ports: [port, port], chainId, token: chain.toll })
    const { id, address } = await stack.open({ amount: '99.00' })
    await chain.pay(address, 100_000_000n, chain.toll)
    await mine(3)
    const { received, flags } = await stack.status(id, 'succeeded')
    expect({ received, flags }).toEqual({ received: 99_000_000n, flags: ['fee_on_transfer'] })
  })

  describe('coins that a contract forwards without a log', () => {
    const coins = (tenths: bigint): bigint => tenths * 10n ** 17n
    const passOn = (address: string, amount: bigint): Promise<string> =>
      chain.call(chain.payer, 'payer', 'payCoins', [address], amount)
    const beginInCoins = async (
      args: readonly string[] = [],
    ): Promise<{ id: string; address: string }> => {
      await begin({}, args)
      await stack.close()
      const { port, chainId } = chain.anvil
      const { token, multicall: multicall3 } = chain
      const ports = [port, port]
      stack = await Stack.start({ ports, chainId, token, chain: { multicall3 } })
      const intent = { currency: 'ETH', accept: ['ETH.local'], amount: '1.5' }
      const opened = await stack.open(intent)
      await stack.at(await chain.mine())
      return opened
    }

    it('are found by the balance and the trace', async () => {
      const { id, address } = await beginInCoins()
      const txHash = await passOn(address, coins(15n))
      await mine(3)
      const { received, facts } = await stack.status(id, 'succeeded')
      expect(received).toBe(coins(15n))
      expect(facts.transactions.map((transaction) => transaction.txHash)).toEqual([txHash])
    })

    it('are found exactly once across restarts of the server and of a node without old state', async () => {
      const home = await mkdtemp(join(tmpdir(), 'settlewire-'))
      const genesis = String(Math.floor(Date.now() / 1_000))
      const kept = ['--state', join(home, 'chain.json'), '--timestamp', genesis]
      const { id, address } = await beginInCoins(kept)
      const cut = (): void => {
        for (const wire of stack.wires) wire.set({ mode: 'outage' })
      }
      const mend = (): void => {
        for (const wire of stack.wires) wire.set({ mode: 'ok' })
      }
      // A part that is final when it is first seen, and stays in the balance.
      cut()
      await chain.coins(address, coins(4n))
      const final = await chain.mine(40)
      mend()
      await stack.at(final)
      expect(await stack.payment(id)).toMatchObject({ status: 'awaiting', received: coins(4n) })
      expect(await stack.store.events.unsettled('local')).toEqual([])
      const away = async (meanwhile: () => Promise<unknown>): Promise<void> => {
        cut()
        await meanwhile()
        await chain.mine(2)
        await chain.restart()
        await stack.crash()
        mend()
        await mine()
      }
      await away(() => passOn(address, coins(5n)))
      await stack.until(id, 'received', ({ received }) => received === coins(9n))
      await away(async () => {
        await passOn(address, coins(2n))
        await chain.coins(address, coins(4n))
      })
      await away(() => Promise.resolve())
      await mine(3)
      const { received, flags } = await stack.status(id, 'succeeded')
      expect({ received, flags }).toEqual({ received: coins(15n), flags: ['multiple_transfers'] })
      await rm(home, { recursive: true, force: true })
    })
  })

  it('amounts beyond 2^53 or with 18 decimals are exact', async () => {
    await begin()
    const exact = '9007199254740993.000001'
    const tokens = await stack.open({ amount: exact })
    const coin = '1.000000000000000001'
    const coins = await stack.open({ currency: 'ETH', accept: ['ETH.local'], amount: coin })
    await chain.pay(tokens.address, 9_007_199_254_740_993_000_001n)
    await chain.coins(coins.address, 10n ** 18n + 1n)
    await mine(3)
    for (const { id } of [tokens, coins]) {
      const { flags, received, terms } = await stack.status(id, 'succeeded')
      expect({ flags, received }).toEqual({ flags: [], received: terms.amount })
    }
  })

  it('an address index is not given out again after a lost answer or a crash', async () => {
    await begin()
    const before = new Set<string>()
    for (let i = 0; i < 3; i++) before.add((await stack.open()).address)
    const lost = stack.open()
    await Promise.all([stack.crash(), lost.catch(() => undefined)])
    for (let i = 0; i < 3; i++) before.add((await stack.open()).address)
    expect(before.size).toBe(6)
  })

  it('a payment succeeds when one provider goes down and the other becomes slow', async () => {
    await begin()
    const { id, address } = await stack.open()
    await chain.pay(address, price)
    await mine()
    wire(0).set({ mode: 'outage' })
    await mine()
    wire(1).set({ mode: 'lag', lagMs: 100 })
    await mine()
    await stack.status(id, 'succeeded')
    const { flags } = await stack.payment(id)
    expect(flags.filter((flag) => flag !== 'single_source')).toEqual([])
    expect(await stack.history(id)).toContain('succeeded:succeeded')
  })
})
