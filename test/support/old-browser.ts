/**
 * Makes a page's browser like the oldest supported ones (Chrome 90, Safari 15, Firefox 102), for
 * `addInitScript`: methods, fields and arguments that one of them lacks are gone. It runs in the
 * page, so it uses nothing from outside.
 */
export function takeNewMethods(): void {
  const without = (owner: object, names: readonly string[]): void => {
    for (const name of names) Reflect.deleteProperty(owner, name)
  }
  const newer = ['at', 'findLast', 'findLastIndex', 'toReversed', 'toSorted', 'toSpliced', 'with']
  without(Array.prototype, newer)
  without(Object.getPrototypeOf(Uint8Array.prototype) as object, newer)
  without(String.prototype, ['at', 'isWellFormed', 'toWellFormed'])
  without(Array, ['fromAsync'])
  without(Object, ['hasOwn', 'groupBy'])
  without(Map, ['groupBy'])
  without(Promise, ['withResolvers', 'try'])
  without(AbortSignal, ['timeout', 'any', 'abort'])
  without(AbortSignal.prototype, ['reason', 'throwIfAborted'])
  without(URLSearchParams.prototype, ['size'])
  without(URL, ['canParse', 'parse'])
  without(Crypto.prototype, ['randomUUID'])
  without(ReadableStream, ['from'])
  without(ReadableStream.prototype, ['values', Symbol.asyncIterator as unknown as string])
  const sets = ['union', 'intersection', 'difference', 'isSubsetOf', 'isSupersetOf']
  without(Set.prototype, sets)
  without(globalThis, ['structuredClone', 'Iterator', 'scheduler', 'navigation'])
  // Safari before 15.4 does not say which button sent a form.
  without(SubmitEvent.prototype, ['submitter'])
  const { FormData: OfToday } = globalThis
  globalThis.FormData = class extends OfToday {
    constructor(form?: HTMLFormElement) {
      super(form)
    }
  }
}
