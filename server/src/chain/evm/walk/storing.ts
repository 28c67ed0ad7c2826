import { Failure, failedWith } from '@settlewire/core/errors'

/**
 * A bug that occurred while a step was stored. Handled like a failing store, and logged as a bug.
 */
export class StoringBug extends Error {
  override readonly name = 'StoringBug'
}

/**
 * Marks failures of the store, so that they are not confused with failures of the node: the two are
 * retried differently.
 */
export async function storing<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (cause) {
    if (failedWith(cause, 'chain_mismatch') || failedWith(cause, 'cursor_conflict')) throw cause
    const words = 'The step could not be stored.'
    const isBug = !(cause instanceof Failure) || cause.code === 'internal'
    throw isBug
      ? new StoringBug(words, { cause })
      : new Failure('store_unavailable', words, { cause })
  }
}
