import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../test/support/anvil.ts'
import { nodeAt, quickLimits } from '../../../../test/support/evm/labs.ts'
import { TestToken } from '../../../../test/support/evm/token.ts'
import { FakeNode, Raw, Refused } from '../../../../test/support/fake-node.ts'
import { systemClock } from '../../clock.ts'
import type { ChainAnswer } from '../kind.ts'
import { type ClaimedToken, checkAssets } from './asset-check.ts'

let anvil: Anvil
let other: Anvil
let token: string
beforeAll(async () => {
  ;[anvil, other] = await Promise.all([startAnvil(), startAnvil({ args: ['--chain-id', '7001'] })])
  token = (await TestToken.deploy(anvil)).address.toLowerCase()
})
afterAll(() => Promise.all([anvil.stop(), other.stop()]))

const unreachable = nodeAt('unreachable', 'ws://127.0.0.1:1')

function check(
  tokens: readonly ClaimedToken[],
  providers = [nodeAt('ws', anvil.wsUrl), nodeAt('http', anvil.rpcUrl)],
): Promise<ChainAnswer> {
  const chain = { chainId: anvil.chainId, providers, tokens }
  const signal = new AbortController().signal
  return checkAssets(chain, { clock: systemClock, signal, limits: quickLimits })
}

const asked = (contradictions: Record<string, string>): ChainAnswer => ({
  kind: 'answered',
  contradictions: new Map(Object.entries(contradictions)),
})

describe('the check of assets against a real chain', () => {
  it('finds no contradiction for a correctly configured token, over WebSocket or HTTP', async () => {
    expect(await check([{ address: token, decimals: 6 }])).toEqual(asked({}))
    expect(await check([{ address: token, decimals: 6 }], [nodeAt('a', anvil.rpcUrl)])).toEqual(
      asked({}),
    )
  })

  it('describes what contradicts the configuration of each wrong token', async () => {
    const empty = `0x${'ee'.repeat(20)}`
    const dumb = `0x${'dd'.repeat(20)}`
    // A contract that returns nothing to any call.
    await anvil.rpc('anvil_setCode', [dumb, '0x00'])
    const answer = await check([
      { address: token, decimals: 18 },
      { address: empty, decimals: 6 },
      { address: dumb, decimals: 6 },
    ])
    expect(answer).toEqual(
      asked({
        [token]: 'Its contract reports 6 decimals, but the configuration says 18.',
        [empty]: 'There is no contract at its address.',
        [dumb]: 'Its contract does not answer decimals().',
      }),
    )
  })

  it('ignores a node of another chain, and reports `other_chain` when no node is on the right one', async () => {
    const wrong = nodeAt('wrong', other.wsUrl)
    const tokens = [{ address: token, decimals: 6 }]
    expect(await check(tokens, [wrong])).toEqual({ kind: 'other_chain', chainId: 7001 })
    expect(await check(tokens, [wrong, unreachable, nodeAt('right', anvil.wsUrl)])).toEqual(
      asked({}),
    )
  })

  it.each([
    new Refused(-32005, 'too many requests'),
    new Refused(-32000, 'rate limit exceeded'),
    new Raw('{"error":"Too many requests"}'),
  ])('does not treat a refusal of `eth_call` (%j) as a contradiction', async (refusal) => {
    const node = await FakeNode.start()
    node.chainId = anvil.chainId
    node.instead = (method) => {
      if (method === 'eth_getCode') return '0x6001'
      return method === 'eth_call' ? refusal : undefined
    }
    const tokens = [{ address: token, decimals: 6 }]
    const busy = nodeAt('busy', node.wsUrl)
    expect(await check(tokens, [busy])).toEqual({ kind: 'unreachable' })
    expect(await check(tokens, [busy, nodeAt('ws', anvil.wsUrl)])).toEqual(asked({}))
    await node.close()
  })

  it('reports `unreachable` when no node can be reached', async () => {
    expect(await check([{ address: token, decimals: 6 }], [unreachable])).toEqual({
      kind: 'unreachable',
    })
  })
})
