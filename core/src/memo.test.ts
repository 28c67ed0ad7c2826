import { describe, expect, it } from 'vitest'
import { memo } from './memo.ts'

describe('memo', () => {
  it('remembers a value for an object, and replaces it', () => {
    const lengths = memo<string[], number>()
    const names = ['a', 'b']
    expect(lengths.get(names)).toBeUndefined()
    lengths.set(names, 2)
    expect(lengths.get(names)).toBe(2)
    lengths.set(names, 3)
    expect(lengths.get(names)).toBe(3)
  })

  it('keeps the values of two memos apart', () => {
    const one = memo<object, string>()
    const two = memo<object, string>()
    const key = {}
    one.set(key, 'one')
    expect(two.get(key)).toBeUndefined()
    two.set(key, 'two')
    expect([one.get(key), two.get(key)]).toEqual(['one', 'two'])
  })

  it('does not remember a value for a copy of its object, and adds no visible property to the object', () => {
    const texts = memo<{ a: number }, string>()
    const key = { a: 1 }
    texts.set(key, 'text')
    expect(texts.get({ ...key })).toBeUndefined()
    expect(texts.get(structuredClone(key))).toBeUndefined()
    expect(Reflect.ownKeys(key)).toEqual(['a'])
    expect(JSON.stringify(key)).toBe('{"a":1}')
    expect(key).toStrictEqual({ a: 1 })
  })

  it('remembers nothing for an object that cannot be extended', () => {
    const texts = memo<object, string>()
    const key = Object.freeze({})
    texts.set(key, 'text')
    expect(texts.get(key)).toBeUndefined()
  })
})
