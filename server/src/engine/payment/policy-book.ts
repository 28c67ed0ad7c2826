import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import type { Policy } from '@settlewire/core/payment/policy'
import type { Policies } from '../../ports/history.ts'

/**
 * The rules in force, and the rules of every version that ever decided: those that this program was
 * built with, and those that were kept, by it or by another process on the same history.
 */
export class PolicyBook {
  /** What decides now. */
  readonly current: Policy
  readonly #store: Pick<Policies, 'all'>
  readonly #known = new Map<string, Policy>()

  private constructor(current: Policy, store: Pick<Policies, 'all'>) {
    this.current = current
    this.#store = store
  }

  /**
   * Keeps the rules in force before anything is decided under them. Throws `invalid_config` when
   * their version stands for other rules.
   */
  static async open(
    store: Policies,
    rules: { readonly builtIn: readonly Policy[]; readonly current: Policy },
  ): Promise<PolicyBook> {
    await store.keep(rules.current)
    const book = new PolicyBook(rules.current, store)
    for (const policy of [...rules.builtIn, ...(await store.all()), rules.current]) {
      book.#known.set(policy.version, policy)
    }
    return book
  }

  /** The rules that a version named. Versions are never taken out: old decisions are folded with them. */
  readonly policyOf: PolicyOf = (version) => {
    const policy = this.#known.get(version)
    assert(policy !== undefined, `the policy ${version} is known`)
    return policy
  }

  /** Reads what another process has kept since, when one of these versions is not known here. */
  readonly learn = async (versions: Iterable<string>): Promise<void> => {
    if ([...versions].every((version) => this.#known.has(version))) return
    for (const policy of await this.#store.all()) {
      if (!this.#known.has(policy.version)) this.#known.set(policy.version, policy)
    }
    for (const version of versions) {
      if (this.#known.has(version)) continue
      throw new Failure('internal', `The rules of the policy version ${version} were never kept.`)
    }
  }
}
