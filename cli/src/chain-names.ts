import type { Client } from '@settlewire/client/client'
import { chainName } from '@settlewire/core/words/words'

const waitMsMax = 3_000

/**
 * The names of the chains as the server gives them, because an operator may name a chain. Without
 * an answer the known names: a payment is shown in any case.
 */
export async function chainNames(
  client: Client,
  signal: AbortSignal,
): Promise<(chain: string) => string> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(waitMsMax)])
  const answer = await client.chains({ signal: inTime }).catch(() => null)
  const names = new Map(answer?.data.map(({ name, displayName }) => [name, displayName]))
  return (chain) => names.get(chain) ?? chainName(chain)
}
