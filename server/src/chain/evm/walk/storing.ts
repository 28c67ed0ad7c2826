import { Failure, failedWith } from '@settlewire/core/errors'

/** A bug that was met while a step was stored. It is waited out like a failing store, and logged as a bug. */
export class StoringBug extends Error {
  override readonly name = 'StoringBug'
}

/** Keeps the node's failures and the store's apart: they are waited out differently. */
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
