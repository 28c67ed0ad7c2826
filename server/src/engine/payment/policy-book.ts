import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import type { Policy } from '@settlewire/core/payment/policy'
import type { Policies } from '../../ports/history.ts'

/**
 * The policy in force, and the policies of all versions that ever decided: those built into this
 * program and those stored by this or another process with the same history.
 */
export class PolicyBook {
  /** The policy that decides now. */
  readonly current: Policy
  readonly #store: Pick<Policies, 'all'>
  readonly #known = new Map<string, Policy>()

  private constructor(current: Policy, store: Pick<Policies, 'all'>) {
    this.current = current
    this.#store = store
  }

  /**
   * Stores the current policy before anything is decided under it. Throws `invalid_config` when its
   * version is already stored with other rules.
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

  /** The policy of a version. No version is ever removed: folding old decisions needs them. */
  readonly policyOf: PolicyOf = (version) => {
    const policy = this.#known.get(version)
    assert(policy !== undefined, `the policy ${version} is known`)
    return policy
  }

  /** Loads policies that another process stored since, if one of these versions is unknown here. */
  readonly learn = async (versions: Iterable<string>): Promise<void> => {
    if ([...versions].every((version) => this.#known.has(version))) return
    for (const policy of await this.#store.all()) {
      if (!this.#known.has(policy.version)) this.#known.set(policy.version, policy)
    }
    for (const version of versions) {
      if (this.#known.has(version)) continue
      throw new Failure('internal', `The policy version ${version} is not stored.`)
    }
  }
}
