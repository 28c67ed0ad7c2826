/**
 * Pending transactions as a node sends them, in the mixture of Ethereum's mempool: plain payments,
 * token calls, exchanges with long calldata, some with access lists, a few very large ones. They
 * are made from a seed, so that every run and every side gets the same.
 */

/** A random number generator from 0 to 1: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const tokens = [
  '0xdac17f958d2ee523a2206206994597c13d831ec7',
  '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
]

/** The watched address of an index, the same in every process. */
export const watchedAddress = (index: number): string =>
  `0x${(0x5e771e00000000n + BigInt(index)).toString(16).padStart(40, '0')}`

/** The share of each kind per thousand, and the number of words in its calldata. */
const kinds = [
  { share: 380, name: 'payment', words: () => 0, lists: 0 },
  { share: 190, name: 'token', words: () => 2, lists: 0 },
  {
    share: 320,
    name: 'exchange',
    words: (chance: number) => 8 + Math.floor(chance * 30),
    lists: 0.2,
  },
  { share: 90, name: 'call', words: (chance: number) => 1 + Math.floor(chance * 8), lists: 0.05 },
  { share: 20, name: 'batch', words: (chance: number) => 100 + Math.floor(chance * 200), lists: 0 },
] as const

/** One in this many messages pays a watched address. */
export const hitEvery = 1_000

export function poolMessages(count: number, watched: number): string[] {
  const chance = seeded(7)
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits)
      text += Math.floor(chance() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
  const places = kinds.flatMap((kind) => Array<(typeof kinds)[number]>(kind.share).fill(kind))
  const quantity = (bits: number): string =>
    `0x${Math.floor(chance() * 2 ** bits + 1).toString(16)}`
  const calldata = (name: string, words: number, to: string): string => {
    if (words === 0) return '0x'
    if (name === 'token')
      return `0xa9059cbb${to.slice(2).padStart(64, '0')}${hex(16).padStart(64, '0')}`
    const padded = () => (chance() < 0.6 ? hex(8).padStart(64, '0') : hex(64))
    return `0x${hex(8)}${Array.from({ length: words }, padded).join('')}`
  }
  const accessList = () =>
    Array.from({ length: 1 + Math.floor(chance() * 3) }, () => ({
      address: `0x${hex(40)}`,
      storageKeys: Array.from({ length: Math.floor(chance() * 4) }, () => `0x${hex(64)}`),
    }))
  return Array.from({ length: count }, (_, at) => {
    const isHit = at % hitEvery === hitEvery - 1
    const kind = isHit ? kinds[1] : (places[Math.floor(chance() * 1_000)] ?? kinds[0])
    const payee = isHit ? watchedAddress(Math.floor(chance() * watched)) : `0x${hex(40)}`
    const called = kind.name === 'token' && (isHit || chance() < 0.6)
    const [token = ''] = tokens
    const legacy = chance() < 0.12
    return JSON.stringify({
      blockHash: null,
      blockNumber: null,
      from: `0x${hex(40)}`,
      gas: quantity(20),
      gasPrice: quantity(36),
      ...(legacy ? {} : { maxFeePerGas: quantity(36), maxPriorityFeePerGas: quantity(31) }),
      hash: `0x${hex(64)}`,
      input: calldata(kind.name, kind.words(chance()), payee),
      nonce: quantity(12),
      to: called ? token : kind.name === 'payment' ? payee : `0x${hex(40)}`,
      transactionIndex: null,
      value: kind.name === 'payment' ? quantity(52) : '0x0',
      type: legacy ? '0x0' : '0x2',
      ...(legacy ? {} : { accessList: chance() < kind.lists ? accessList() : [] }),
      chainId: '0x1',
      v: '0x1',
      r: `0x${hex(64)}`,
      s: `0x${hex(64)}`,
      ...(legacy ? {} : { yParity: '0x1' }),
    })
  })
}
