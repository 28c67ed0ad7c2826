/** A process, asked how well it sees a chain. */
export interface Follower {
  follows(chain: string): boolean
  isBlind(chain: string): boolean
}

interface Word {
  readonly at: number
  readonly says: ReadonlySet<boolean>
}

/** For this long a chain without a follower may still be shown as seen: only then it is blind. */
const unfollowedMs = 10_000
const keptMs = 60_000

/** Records over time whether each chain is blind, by the reports of its followers. */
export class SightTruth {
  readonly #words = new Map<string, Word[]>()
  readonly #unfollowedSince = new Map<string, number>()

  look(chain: string, followers: readonly Follower[], now: number): void {
    const said = followers.filter((one) => one.follows(chain)).map((one) => one.isBlind(chain))
    if (said.length > 0) this.#unfollowedSince.delete(chain)
    else if (!this.#unfollowedSince.has(chain)) this.#unfollowedSince.set(chain, now)
    const since = this.#unfollowedSince.get(chain)
    const isNew = since !== undefined && now - since < unfollowedMs
    const says = new Set(since === undefined ? said : isNew ? [true, false] : [true])
    const words = this.#words.get(chain) ?? []
    this.#words.set(chain, words)
    const last = words.at(-1)?.says
    if (last !== undefined && last.size === says.size && [...says].every((one) => last.has(one)))
      return
    words.push({ at: now, says })
    while ((words[1]?.at ?? now) < now - keptMs) words.shift()
  }

  /** Since when the claim has been wrong; null if it is right, or the chain was never checked. */
  wrongSince(chain: string, isSaidBlind: boolean): number | null {
    const words = this.#words.get(chain) ?? []
    let since: number | null = null
    for (let at = words.length - 1; at >= 0; at--) {
      const word = words[at]
      if (word === undefined || word.says.has(isSaidBlind)) return since
      since = word.at
    }
    return since
  }
}
