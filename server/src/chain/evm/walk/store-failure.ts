import { Failure, failedWith } from '@settlewire/core/errors'

/**
 * A bug that occurred in a call to the store. Handled like a failing store, and logged as a bug.
 */
export class StoreBug extends Error {
  override readonly name = 'StoreBug'
}

/**
 * Marks failures of the store, so that they are not confused with failures of the node: the two are
 * retried differently. `chain_mismatch` and `cursor_conflict` pass unchanged: only the store can
 * throw them here, and callers decide by these codes.
 */
export async function markStoreFailures<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (cause) {
    if (failedWith(cause, 'chain_mismatch') || failedWith(cause, 'cursor_conflict')) throw cause
    const message = 'The call to the store failed.'
    const isBug = !(cause instanceof Failure) || cause.code === 'internal'
    throw isBug
      ? new StoreBug(message, { cause })
      : new Failure('store_unavailable', message, { cause })
  }
}
