import type { Watched } from '../ports/history.ts'

/** Contracts by chain, in lower case. */
export type OpenTokens = ReadonlyMap<string, ReadonlySet<string>>

/**
 * What open payments may be paid in, also where the configuration has dropped it since: what was once
 * asked for is looked for as long as it may come, or a payer who does as told would be paid no heed.
 */
export function openTokens(accepted: Iterable<Watched['accept']>): OpenTokens {
  const tokens = new Map<string, Set<string>>()
  for (const accept of accepted) {
    for (const { chain, token } of accept) {
      if (token === null) continue
      const known = tokens.get(chain) ?? new Set<string>()
      tokens.set(chain, known.add(token.toLowerCase()))
    }
  }
  return tokens
}
