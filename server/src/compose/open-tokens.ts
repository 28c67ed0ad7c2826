import type { EventStore } from '../ports.ts'

const pageMax = 1_000

/** Contracts by chain, in lower case. */
export type OpenTokens = ReadonlyMap<string, ReadonlySet<string>>

/**
 * What open payments may be paid in, also where the configuration has dropped it since: what was once
 * asked for is looked for as long as it may come, or a payer who does as told would be paid no heed.
 */
export async function openTokens(store: Pick<EventStore, 'watched'>): Promise<OpenTokens> {
  const tokens = new Map<string, Set<string>>()
  for (let after = '', more = true; more; ) {
    const page = await store.watched(after, pageMax)
    for (const { chain, token } of page.flatMap(({ accept }) => accept)) {
      if (token === null) continue
      const known = tokens.get(chain) ?? new Set<string>()
      tokens.set(chain, known.add(token.toLowerCase()))
    }
    after = page.at(-1)?.paymentId ?? after
    more = page.length === pageMax
  }
  return tokens
}
