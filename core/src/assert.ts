/** A bug, not an operating error: it crashes the request that met it, never the history. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** States what must hold. Throws `Bug` when it does not. */
export function assert(condition: unknown, must: string): asserts condition {
  if (!condition) throw new Bug(`must hold: ${must}`)
}

/** Marks a branch that the compiler proves empty: adding a case makes the call not compile. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
