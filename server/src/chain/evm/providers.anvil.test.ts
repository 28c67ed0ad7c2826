import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../test/support/evm/chain-ledger.ts'
import { newAddress } from '../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../test/support/evm/labs.ts'
import { TcpProxy } from '../../../../test/support/evm/tcp-proxy.ts'
import { TestToken } from '../../../../test/support/evm/token.ts'
import type { ProviderConfig } from '../../chain-config.ts'
import type { EvmFollower } from './follower.ts'
import type { FollowerLimits } from './node/limits.ts'

const blockMs = 400
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Two connections to one real chain: trouble with one may only show in its score. */
describe('a real chain behind two connections', () => {
  let anvil: Anvil
  let token: TestToken
  let ledger: ChainLedger
  let wires: readonly [TcpProxy, TcpProxy]
  let follower: EvmFollower | null = null
  let to = ''

  const follow = (limits: Partial<FollowerLimits> = {}): EvmFollower => {
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

  /** Mines a payment each block time; resolves with the longest time until one was reported. */
  const stream = async (blocks: number, during: (block: number) => void): Promise<number> => {
    let longestMs = 0
    for (let block = 1; block <= blocks; block++) {
      await token.transfer(to, BigInt(block))
      during(block)
      const minedAt = Date.now()
      await anvil.rpc('anvil_mine', ['0x1'])
      await ledger.until('it is reported', () => ledger.transfers.length === block)
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

  it('loses no event when a connection is cut, and heads come within two block times', async () => {
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

  it('reports payments in time while one connection is half-open', async () => {
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

  it('reads every payment although the connections were cut, first in turn, then both at once', async () => {
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
    await ledger.until('all payments are reported', () => ledger.transfers.length === 10)
    expect(amounts()).toEqual(upTo(10))
  })

  it('counts the second connection as a witness until it is cut, and when it is back', async () => {
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
    await ledger.until('it is reported', () => ledger.transfers.length === 2)
    expect([...shownBy(2)]).toEqual(['rpc:a'])
    expect(ledger.stored?.head.witnesses).toBe(1)
    // The second provider shows it when it is back.
    wires[1].heal()
    await ledger.until('both have shown it', () => shownBy(2).size === 2)
  })

  it('looks up an unknown, a pending and a mined transaction', async () => {
    const open = follow()
    await says(null)
    const signed = await token.signedTransfer(to, 1n)
    expect(await open.lookUp(`0x${'1'.repeat(64)}`)).toEqual({ kind: 'not_found' })
    const txHash = await anvil.rpc<string>('eth_sendRawTransaction', [signed])
    expect(await open.lookUp(txHash)).toMatchObject({
      ...{ kind: 'pending', sighting: { txHash, transfer: { to, amount: 1n } } },
    })
    await anvil.rpc('anvil_mine', ['0x1'])
    expect(await open.lookUp(txHash)).toMatchObject({ kind: 'mined' })
  })
})
