import type { ChainPolicy, Level, Tier } from '@settlewire/core/payment/policy'
import { levelInWords } from '@settlewire/core/words/explain-words'

/** The policy in sentences for people: one for each tier, the last one for finality. */
export function sentencesOf({
  settled,
  final,
  quorum,
  tiers = {},
}: ChainPolicy): readonly string[] {
  const named = Object.entries(tiers).flatMap(([asset, list]) =>
    list.map((tier, i) => `${subjectOf(asset, tier, i > 0)} ${isPaid(tier.settled)}`),
  )
  const others = named.length === 0 ? 'A transfer' : 'Any other transfer'
  const isCovered = Object.hasOwn(tiers, '*')
  return [
    ...named,
    ...(isCovered ? [] : [`${others} ${isPaid(settled)}`]),
    ...(quorum > 1 ? [`${quorum} providers must have shown it.`] : []),
    `It is final ${levelInWords(final)}.`,
  ]
}

function subjectOf(asset: string, { upTo }: Tier, hasSmaller: boolean): string {
  const isRest = asset === '*'
  if (upTo !== null) return isRest ? `Up to ${upTo} of any other asset` : `Up to ${upTo} ${asset}`
  if (hasSmaller) return isRest ? 'More of any other asset' : `More ${asset} than that`
  return isRest ? 'Any amount of other assets' : `Any amount of ${asset}`
}

const isPaid = (level: Level): string => `counts as paid ${levelInWords(level)}.`
