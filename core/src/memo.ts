/** A class whose constructor returns the given object, so that a subclass adds its fields to it. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the purpose of this class.
    return object
  }
}

/** A value that is remembered for an object as long as the object lives. */
export interface Memo<Key extends object, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): void
}

/**
 * Does what a `WeakMap` does, but keeps each value in a private field of its object: a copy of the
 * object does not have it, and no reader of the object sees it. A `WeakMap` with many entries makes
 * every full garbage collection long, because V8 reads the whole map again until it finds no more
 * live keys: with 20,000 open payments that was 76 ms of a pause of 90 ms (`bench/crowd.ts`). For
 * an object that cannot be extended nothing is remembered.
 */
export function memo<Key extends object, Value>(): Memo<Key, Value> {
  return class extends Given {
    #value: Value

    constructor(key: Key, value: Value) {
      super(key)
      this.#value = value
    }

    static get(key: Key): Value | undefined {
      return #value in key ? key.#value : undefined
    }

    static set(key: Key, value: Value): void {
      if (#value in key) key.#value = value
      else if (Object.isExtensible(key)) new this(key, value)
    }
  }
}
