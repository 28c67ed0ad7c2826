import type { SeenTransfer } from '@settlewire/core/payment/observation'
import { encodeFunctionData, erc20Abi, parseAbi, toFunctionSelector } from 'viem'
import { describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../../test/support/evm/chain-ledger.ts'
import { fakeTx, newAddress, tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { sightingOf } from '../mempool/sighting.ts'
import { callShapes, contestOf, hintOf } from './calldata.ts'

const hex = (text: string): `0x${string}` => `0x${text.slice(2)}`

describe('reading a payment from a pending transaction', () => {
  const token = newAddress()
  const to = newAddress()
  const payer = newAddress()
  const watch = new TestWatch()
  watch.addresses.add(to)
  watch.wantsNative = true
  const rules = { tokens: new Set([token]), watch }

  const call = (functionName: 'transfer' | 'transferFrom' | 'approve', amount: bigint): string =>
    functionName === 'transferFrom'
      ? encodeFunctionData({
          abi: erc20Abi,
          functionName,
          args: [hex(payer), hex(to), amount],
        })
      : encodeFunctionData({ abi: erc20Abi, functionName, args: [hex(to), amount] })

  const pending = (parts: Record<string, unknown>): SeenTransfer | null =>
    hintOf({ ...fakeTx(), value: '0x0', to: token, ...parts }, rules)

  it('decodes ABI-encoded `transfer` and `transferFrom` calls', () => {
    const from = newAddress()
    const amount = 2n ** 255n + 1n
    expect(pending({ from, input: call('transfer', amount) })).toMatchObject({
      part: 'hint',
      token,
      from,
      to,
      amount,
    })
    expect(pending({ from, input: call('transferFrom', amount) })).toMatchObject({
      token,
      from: payer,
      to,
      amount,
    })
  })

  it('accepts hex in either case, and returns it in lower case', () => {
    const upper = (text: string): string => `0x${text.slice(2).toUpperCase()}`
    const tx = fakeTx()
    expect(
      pending({
        hash: upper(tx.hash),
        from: upper(payer),
        to: upper(token),
        input: call('transfer', 5n),
      }),
    ).toMatchObject({ txHash: tx.hash, from: payer, token, to, amount: 5n })
    const input = `0xa9059cbb${upper(call('transfer', 5n)).slice(10)}`
    expect(pending({ input })).toMatchObject({ to, amount: 5n })
  })

  it('returns native coin sent to a watched address only while a payment accepts it', () => {
    const value = `0x${(10n ** 24n + 1n).toString(16)}`
    const native = { to, value, input: '0x' }
    expect(pending(native)).toMatchObject({ token: null, to, amount: 10n ** 24n + 1n })
    const withoutNative = Object.assign(new TestWatch(), { addresses: watch.addresses })
    expect(
      hintOf({ ...fakeTx(), ...native }, { tokens: rules.tokens, watch: withoutNative }),
    ).toBeNull()
  })

  it.each<[string, Record<string, unknown>]>([
    ['another contract is called', { to: newAddress(), input: call('transfer', 5n) }],
    ['another function is called', { input: call('approve', 5n) }],
    ['nothing is moved', { input: call('transfer', 0n) }],
    ['no coin is moved', { to, input: '0x' }],
    ['the calldata is cut short', { input: call('transfer', 2n ** 200n).slice(0, -2) }],
    ['the calldata is only a selector', { input: '0xa9059cbb' }],
    [
      'the recipient is not a valid address',
      { input: call('transfer', 5n).replace('0xa9059cbb0', '0xa9059cbb1') },
    ],
    ['the amount is not hex', { input: `${call('transfer', 5n).slice(0, -2)}zz` }],
    ['a contract is created', { to: null, input: call('transfer', 5n) }],
    ['there is no input', { input: null }],
    ['there is no hash', { hash: null, input: call('transfer', 5n) }],
    ['the sender is missing', { from: undefined, input: call('transfer', 5n) }],
  ])('returns null when %s', (_, parts) => {
    expect(pending(parts)).toBeNull()
  })

  it.each([null, undefined, 5, 'text', [], {}])('returns null when the node sends %j', (sent) => {
    expect(hintOf(sent, rules)).toBeNull()
  })

  it('returns null when it pays an unwatched address', () => {
    const other = tokenTx(token, newAddress(), 5n)
    expect(pending({ input: other.input })).toBeNull()
  })
})

describe('token calls with a known selector', () => {
  const token = newAddress()
  const [to, payer, relayer] = [newAddress(), newAddress(), newAddress()]
  const watch = new TestWatch()
  watch.addresses.add(to)
  const rules = { tokens: new Set([token]), watch }
  const word = `0x${'5a'.repeat(32)}` as const
  const terms = [hex(payer), hex(to), 77n, 0n, 2n ** 40n, word] as const
  const abi = parseAbi([
    'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
    'function receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
    'function transferAndCall(address,uint256)',
    'function transferFromAndCall(address,address,uint256)',
  ])
  const withBytes = parseAbi([
    'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
    'function receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
    'function transferAndCall(address,uint256,bytes)',
    'function transferFromAndCall(address,address,uint256,bytes)',
  ])
  const signed = [...terms, 27, word, word] as const

  it.each(Object.entries(callShapes))('%s matches its signature', (selector, shape) => {
    expect(toFunctionSelector(`function ${shape.signature}`)).toBe(selector)
  })

  it.each([
    [
      'EIP-3009 transferWithAuthorization',
      payer,
      encodeFunctionData({ abi, functionName: 'transferWithAuthorization', args: signed }),
    ],
    [
      'EIP-3009 receiveWithAuthorization',
      payer,
      encodeFunctionData({ abi, functionName: 'receiveWithAuthorization', args: signed }),
    ],
    [
      'EIP-3009 transferWithAuthorization with the signature as bytes',
      payer,
      encodeFunctionData({
        abi: withBytes,
        functionName: 'transferWithAuthorization',
        args: [...terms, '0x0102'],
      }),
    ],
    [
      'EIP-3009 receiveWithAuthorization with the signature as bytes',
      payer,
      encodeFunctionData({
        abi: withBytes,
        functionName: 'receiveWithAuthorization',
        args: [...terms, '0x0102'],
      }),
    ],
    [
      'ERC-677 transferAndCall',
      relayer,
      encodeFunctionData({
        abi: withBytes,
        functionName: 'transferAndCall',
        args: [hex(to), 77n, '0xabcd'],
      }),
    ],
    [
      'ERC-1363 transferAndCall',
      relayer,
      encodeFunctionData({ abi, functionName: 'transferAndCall', args: [hex(to), 77n] }),
    ],
    [
      'ERC-1363 transferFromAndCall',
      payer,
      encodeFunctionData({
        abi,
        functionName: 'transferFromAndCall',
        args: [hex(payer), hex(to), 77n],
      }),
    ],
    [
      'ERC-1363 transferFromAndCall with bytes',
      payer,
      encodeFunctionData({
        abi: withBytes,
        functionName: 'transferFromAndCall',
        args: [hex(payer), hex(to), 77n, '0xabcd'],
      }),
    ],
  ])('decodes payer, recipient and amount of %s', (_, from, input) => {
    expect(hintOf({ ...fakeTx(), to: token, from: relayer, input }, rules)).toMatchObject({
      ...{ token, from, to, amount: 77n },
    })
  })
})

describe('the sighting of a pending transaction', () => {
  const token = newAddress()
  const to = newAddress()
  const watch = new TestWatch()
  watch.addresses.add(to)
  const rules = { tokens: new Set([token]), watch }
  const { hash, from, input } = tokenTx(token, to, 5n)
  const payment = { hash, from, to: token, value: '0x0', input, nonce: '0x2a' }
  const waiting = { txHash: hash, key: `${from} 42` }

  it('carries its contest, with the highest fee per gas of either fee type as the bid', () => {
    const key = `${from} 42`
    const tip = { maxFeePerGas: '0x12a05f200', gasPrice: '0x1' }
    expect(sightingOf({ ...payment, ...tip }, rules)).toMatchObject({
      txHash: hash,
      transfer: { amount: 5n },
      contest: { key, bid: 5_000_000_000n },
      preconfirmed: false,
    })
    expect(contestOf({ ...payment, gasPrice: '0x7' })).toEqual({ key, bid: 7n })
  })

  it('has no contest when the node leaves out the nonce or the fee', () => {
    expect(sightingOf(payment, rules)).toMatchObject({ transfer: { amount: 5n }, contest: null })
    for (const nonce of [undefined, 42, 'x', '0xffffffffffffffffff']) {
      expect(contestOf({ ...payment, gasPrice: '0x7', nonce })).toBeNull()
    }
  })

  it.each(['0x', '0x\u0000', '__proto__', `0x${'a'.repeat(63)}`, 'x'.repeat(1_000_000)])(
    'is null when its hash or sender is invalid, such as %.20j',
    (text) => {
      watch.contests.set(hash, waiting)
      const priced = { ...payment, gasPrice: '0x9' }
      expect(sightingOf({ ...priced, hash: text }, rules)).toBeNull()
      expect(sightingOf({ ...priced, to: from, input: '0x', hash: text }, rules)).toBeNull()
      expect(sightingOf({ ...priced, from: text }, rules)).toBeNull()
      expect(contestOf({ ...priced, from: text })).toBeNull()
    },
  )

  it('is a rival when it contends with a tracked transaction and pays us nothing', () => {
    watch.contests.set(hash, waiting)
    const cancel = { hash: fakeTx().hash, from, to: from, value: '0x0', input: '0x', nonce: '0x2a' }
    expect(sightingOf({ ...cancel, gasPrice: '0x9' }, rules)).toEqual({
      txHash: cancel.hash,
      transfer: null,
      contest: { key: `${from} 42`, bid: 9n },
      preconfirmed: false,
    })
    const creation = { ...cancel, to: null, gasPrice: '0x9' }
    expect(sightingOf(creation, rules)).toMatchObject({ transfer: null })
    expect(sightingOf({ ...cancel, nonce: '0x2b', gasPrice: '0x9' }, rules)).toBeNull()
    expect(sightingOf({ ...cancel, from: newAddress(), gasPrice: '0x9' }, rules)).toBeNull()
    // Without a bid it cannot be compared, so it is not a rival.
    expect(sightingOf(cancel, rules)).toBeNull()
  })

  it('is a payment, not a rival, when it pays us too, and never its own rival', () => {
    watch.contests.set(hash, waiting)
    const faster = { ...payment, hash: fakeTx().hash, gasPrice: '0x9' }
    expect(sightingOf(faster, rules)).toMatchObject({ transfer: { amount: 5n } })
    watch.tracked.add(hash)
    const unlikely = { ...payment, input: '0xdeadbeef', gasPrice: '0x9' }
    expect(sightingOf(unlikely, rules)).toBeNull()
  })
})

describe('an unrelated pending transaction', () => {
  it('costs at most one look-up of its token, its address and its contest', () => {
    const asked = { tokens: 0, has: 0, contests: 0 }
    const watch = Object.assign(new TestWatch(), { wantsNative: true })
    const counting = {
      tokens: { has: () => asked.tokens++ < 0 } as unknown as ReadonlySet<string>,
      watch: Object.assign(watch, {
        has: () => asked.has++ < 0,
        hasRival: () => asked.contests++ < 0,
      }),
    }
    const input = `0xa9059cbb${'0'.repeat(200_000)}`
    for (let n = 0; n < 1_000; n++) {
      const tx = { ...fakeTx(), value: '0x1', input, nonce: '0x1', gasPrice: '0x1' }
      expect(sightingOf(tx, counting)).toBeNull()
    }
    expect(asked).toEqual({ tokens: 1_000, has: 1_000, contests: 1_000 })
  })
})
