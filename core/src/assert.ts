/** A bug, not an operating error: it fails the request that met it, and never harms the history. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** Asserts what must be true. Throws `Bug` when it is not. */
export function assert(condition: unknown, must: string): asserts condition {
  if (!condition) throw new Bug(`must hold: ${must}`)
}

/** Marks a branch that the compiler proves empty: a new case does not compile here. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
