import { expect, it } from 'vitest'
import { sentencesOf } from './policy-sentences.ts'

it('a policy has a sentence for each tier, then for all others, the quorum and finality', () => {
  const sizes = [
    { upTo: '10', settled: 1 },
    { upTo: null, settled: 'safe' },
  ] as const
  const policy = { settled: 3, final: 'finalized', quorum: 2 } as const
  expect(sentencesOf({ ...policy, tiers: { USDC: sizes } })).toEqual([
    'Up to 10 USDC counts as paid with the block that holds it.',
    'More USDC than that counts as paid once the nodes of the network call its block safe.',
    'Any other transfer counts as paid with 3 blocks, the one that holds it included.',
    '2 providers must have shown it.',
    'It is final once the nodes of the network call its block finalized.',
  ])
  const [small, more, final] = sentencesOf({ ...policy, quorum: 1, tiers: { '*': sizes } })
  expect(small).toContain('Up to 10 of any other asset counts')
  expect(more).toContain('More of any other asset counts')
  expect(final).toContain('It is final')
})
