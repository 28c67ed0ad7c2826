import { noSeal, seal } from '@settlewire/core/history/seal'
import type { EventStore, SealedEvent, StoredEvent } from '../../server/src/ports/history.ts'
import { digest } from '../../server/src/store/history/digest.ts'

/**
 * Takes the events of a feed in order, and records every violation of its guarantees: positions 1..n
 * without a gap, each subject's sequences 1..n, no event twice.
 */
export class FeedChecker {
  readonly problems: string[] = []
  readonly seen = new Set<string>()
  #position = 0
  readonly #sequences = new Map<string, number>()

  /** The last position seen. */
  get position(): number {
    return this.#position
  }

  /** Every subject seen in the feed. */
  get subjects(): Iterable<string> {
    return this.#sequences.keys()
  }

  see({ id, subject, sequence, position }: StoredEvent): void {
    if (position !== this.#position + 1) {
      this.#note(`position ${position} follows ${this.#position}`)
    }
    this.#position = position
    if (this.seen.has(id)) this.#note(`${id} comes twice`)
    this.seen.add(id)

    const before = this.#sequences.get(subject.id) ?? 0
    if (sequence !== before + 1) {
      this.#note(`${subject.id} goes from sequence ${before} to ${sequence}`)
    }
    this.#sequences.set(subject.id, sequence)
  }

  /** Records every acknowledged event that the feed did not show. */
  expect(acknowledged: Iterable<string>): void {
    for (const id of acknowledged) {
      if (!this.seen.has(id)) this.#note(`${id} was acknowledged but is not in the feed`)
    }
  }

  #note(problem: string): void {
    if (this.problems.length < problemsMax) this.problems.push(problem)
  }
}

const problemsMax = 1_000

/** A message for each event of one subject whose seal does not match it and the event before. */
export function sealProblems(events: readonly SealedEvent[]): readonly string[] {
  let previous = noSeal
  return events.flatMap((event) => {
    const isWhole = seal(event, previous, digest) === event.seal
    previous = event.seal
    return isWhole ? [] : [`${event.id} does not match its seal`]
  })
}

/** The same for stored subjects. */
export async function storedSealProblems(
  store: Pick<EventStore, 'history'>,
  ids: Iterable<string>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const id of ids) found.push(...sealProblems(await store.history(id, 0, 1_000)))
  return found
}
