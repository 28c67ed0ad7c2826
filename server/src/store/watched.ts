import { assert } from '@settlewire/core/assert'
import type { Watched } from '../ports.ts'

/** What is looked for on behalf of a payment: a part of its first event. */
export interface WatchedRow {
  readonly id: string
  readonly livemode: boolean
  readonly evidence: string
}

/**
 * A process reads those of all open payments when it starts: so the rest of the opening is not made
 * into what core works with, which takes several times as long as to parse it.
 */
export function watchedOf({ id, livemode, evidence }: WatchedRow): Watched {
  const [opening] = (JSON.parse(evidence) as OpeningText).facts // as `evidenceText` wrote it
  assert(opening?.kind === 'opened', 'the first event opens the payment')
  return {
    ...{ paymentId: id, livemode },
    accept: opening.terms.accept.map(({ chain, address, token }) => ({ chain, address, token })),
  }
}

interface OpeningText {
  readonly facts: readonly {
    readonly kind: string
    readonly terms: Pick<Watched, 'accept'>
  }[]
}
