import type { ChainInfo } from '@settlewire/client/answers'

/** A chain for a person, as lines. */
export function showChain(chain: ChainInfo): readonly string[] {
  const { finality, pace } = chain
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['seen', [chain.visibility, chain.reason ?? '', headOf(chain)].filter(Boolean).join(', ')],
    [
      'pace',
      `a block every ${inSeconds(pace.blockMs)}${pace.measured ? '' : ' (not measured yet)'}`,
    ],
    [
      'finality',
      `${upTo('safe', finality.safe)}, ${upTo('final', finality.finalized)}${stall(chain)}`,
    ],
    ['assets', chain.assets.map(({ name }) => name).join(' ') || 'none'],
    ...chain.disabled.map(({ name, reason }) => ['disabled', `${name}: ${reason}`] as const),
    ...chain.policy.sentences.map((sentence) => ['policy', sentence] as const),
    ...(chain.providers ?? []).map((one) => ['provider', providerLine(one)] as const),
  ]
  const title = `${chain.displayName} (${chain.name}, ${chain.chainId})`
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(10)}${value}`)]
}

const headOf = ({ head, lagMs }: ChainInfo): string =>
  head === null ? 'no block read yet' : `block ${head}, ${inSeconds(lagMs ?? 0)} old`

const upTo = (level: 'safe' | 'final', block: number | null): string =>
  block === null ? `no ${level} block known` : `${level} up to block ${block}`

const stall = ({ finality }: ChainInfo): string =>
  finality.stalled ? ': stalled, payments that need it wait' : ''

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

function providerLine(one: NonNullable<ChainInfo['providers']>[number]): string {
  const faults: readonly (readonly [count: number, of: string])[] = [
    [one.lagBlocks, 'blocks behind'],
    [one.logsEmpty, `of ${one.logsAsked} log answers incomplete`],
    [one.disagreements, 'disagreements'],
    [one.reconnects, 'reconnects'],
  ]
  const told = faults.flatMap(([count, of]) => (count === 0 ? [] : [`${count} ${of}`]))
  const reason = one.reason === null ? one.visibility : `${one.visibility} (${one.reason})`
  return [`${one.name} ${reason}`, `block ${one.head ?? '-'}`, ...told].join(', ')
}
