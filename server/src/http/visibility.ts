import type { ChainHealth, Visibility } from '../ports.ts'

const blindness: Readonly<Record<Visibility, number>> = { ok: 0, degraded: 1, blind: 2 }

/** Several chains are seen as well as the worst of them. One that is not followed is not seen. */
export function visibilityOf(all: readonly ChainHealth[], names: readonly string[]): Visibility {
  let worst: Visibility = 'ok'
  for (const name of names) {
    const visibility = all.find(({ chain }) => chain === name)?.visibility ?? 'blind'
    if (blindness[visibility] > blindness[worst]) worst = visibility
  }
  return worst
}
