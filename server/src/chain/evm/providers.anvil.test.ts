import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../test/support/evm/chain-ledger.ts'
import { newAddress } from '../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../test/support/evm/labs.ts'
import { TcpProxy } from '../../../../test/support/evm/tcp-proxy.ts'
import { TestToken } from '../../../../test/support/evm/token.ts'
import type { ProviderConfig } from '../../chain-config.ts'
import type { EvmFollower } from './follower.ts'
import type { Limits } from './node/limits.ts'

const blockMs = 400
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Two ways to one real chain: what happens to one must not be felt but in its score. */
describe('a real chain behind two wires', () => {
  let anvil: Anvil
  let token: TestToken
  let ledger: ChainLedger
  let wires: readonly [TcpProxy, TcpProxy]
  let follower: EvmFollower | null = null
  let to = ''

  const follow = (limits: Partial<Limits> = {}): EvmFollower => {
    const nodes: ProviderConfig[] = wires.map(({ port }, at) =>
      nodeAt('ab'.charAt(at), `ws://127.0.0.1:${port}`),
    )
    follower = followerOf(
      ledger,
      { providers: nodes, quorum: 2, tokens: [token.address] },
      { limits },
    )
    follower.start()
    return follower
  }
  const says = (reason: string | null): Promise<void> =>
    ledger.until(`health says ${reason}`, () => ledger.lastHealth?.reason === reason)

  /** Mines a payment each block time; answers the longest that one of the blocks took to be told. */
  const stream = async (blocks: number, during: (block: number) => void): Promise<number> => {
    let longestMs = 0
    for (let block = 1; block <= blocks; block++) {
      await token.transfer(to, BigInt(block))
      during(block)
      const minedAt = Date.now()
      await anvil.rpc('anvil_mine', ['0x1'])
      await ledger.until('it is told', () => ledger.transfers.length === block)
      const tookMs = Date.now() - minedAt
      longestMs = Math.max(longestMs, tookMs)
      await pause(Math.max(0, blockMs - tookMs))
    }
    return longestMs
  }
  const amounts = (): number[] => ledger.transfers.map(({ amount }) => Number(amount))
  const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1)

  beforeEach(async () => {
    anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] })
    token = await TestToken.deploy(anvil)
    wires = [await TcpProxy.start(anvil.port), await TcpProxy.start(anvil.port)]
    ledger = new ChainLedger()
    to = newAddress()
    ledger.watch.addresses.add(to)
  })

  afterEach(async () => {
    await follower?.close()
    for (const wire of wires) await wire.close()
    await anvil.stop()
    expect(ledger.violations).toEqual([])
  })

  it('pitfall 6: a wire cut mid-stream loses no event, and heads come within two block times', async () => {
    follow()
    await says(null)
    const longestMs = await stream(12, (block) => {
      if (block !== 5) return
      wires[0].refuse()
      wires[0].drop()
    })
    expect(amounts()).toEqual(upTo(12))
    expect(longestMs).toBeLessThan(2 * blockMs)
    expect(ledger.lastHealth).toMatchObject({ visibility: 'degraded', reason: 'provider_down' })
    wires[0].heal()
    await says(null)
    expect(follower?.health().providers).toMatchObject([{ reconnects: 1 }, { reconnects: 0 }])
  })

  it('pitfall 6: a wire that swallows everything is half-open, and holds up nobody', async () => {
    follow({ patienceMs: 100 })
    await says(null)
    const longestMs = await stream(8, (block) => {
      if (block === 4) wires[0].blackHole()
    })
    expect(amounts()).toEqual(upTo(8))
    expect(longestMs).toBeLessThan(2 * blockMs)
    await says('provider_down')
    wires[0].heal()
    await says(null)
  })

  it('pitfall 7: with both wires cut in turn, and then at once, everything is read in the end', async () => {
    follow()
    await says(null)
    await stream(9, (block) => {
      const wire = wires[block % 2 === 0 ? 0 : 1]
      if (block % 3 === 0) wire.drop()
    })
    for (const wire of wires) {
      wire.refuse()
      wire.drop()
    }
    await says('socket_down')
    await token.transfer(to, 10n)
    await anvil.rpc('anvil_mine', ['0x46'])
    for (const wire of wires) wire.heal()
    await says(null)
    await ledger.until('all is read', () => ledger.transfers.length === 10)
    expect(amounts()).toEqual(upTo(10))
  })

  it('a payment is corroborated by the other wire, and by it alone once one is cut', async () => {
    follow({ corroborateWithinMs: 500 })
    await says(null)
    const shownBy = (block: number): Set<string> => {
      const [transfer] = ledger.transfers.slice(block - 1)
      const applied = ledger.applied.flatMap(({ sources }) => [
        ...(sources?.get(transfer?.txHash ?? '') ?? []),
      ])
      const later = ledger.corroborations.filter(({ txHash }) => txHash === transfer?.txHash)
      return new Set([...applied, ...later.map(({ source }) => source)])
    }
    await stream(1, () => undefined)
    await ledger.until('both have shown it', () => shownBy(1).size === 2)
    wires[1].refuse()
    wires[1].drop()
    await says('provider_down')
    await token.transfer(to, 2n)
    await anvil.rpc('anvil_mine', ['0x1'])
    await ledger.until('it is told', () => ledger.transfers.length === 2)
    expect([...shownBy(2)]).toEqual(['rpc:a'])
    expect(ledger.stored?.head.witnesses).toBe(1)
    // It is shown after all, when the other is back.
    wires[1].heal()
    await ledger.until('both have shown it', () => shownBy(2).size === 2)
  })

  it('knows no transaction that neither wire shows, and one that either shows', async () => {
    const open = follow()
    await says(null)
    const signed = await token.signedTransfer(to, 1n)
    expect(await open.lookUp(`0x${'1'.repeat(64)}`)).toEqual({ kind: 'nobody' })
    const txHash = await anvil.rpc<string>('eth_sendRawTransaction', [signed])
    expect(await open.lookUp(txHash)).toMatchObject({
      ...{ kind: 'pending', sighting: { txHash, transfer: { to, amount: 1n } } },
    })
    await anvil.rpc('anvil_mine', ['0x1'])
    expect(await open.lookUp(txHash)).toMatchObject({ kind: 'mined' })
  })
})
