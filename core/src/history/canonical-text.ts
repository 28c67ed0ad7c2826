import { memo } from '../memo.ts'

/**
 * The same text as `canonicalJson(plain(value))`, in one pass, because this takes most of an
 * append's own time: sorted keys, no blanks, `{"$big":"…"}` for bigints. A test compares the two.
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `{"$big":"${value}"}`
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? arrayText(value) : objectText(value)
    case 'undefined':
      return 'null'
    default:
      return JSON.stringify(value)
  }
}

/** Texts of objects that never change and are encoded often: terms, transactions, facts. */
const remembered = memo<object, string>()

/**
 * Like `canonicalText`, but cached as long as the object lives. Only for objects that never change.
 */
export function rememberedText(value: object): string {
  const known = remembered.get(value)
  if (known !== undefined) return known
  const text = canonicalText(value)
  remembered.set(value, text)
  return text
}

function arrayText(items: readonly unknown[]): string {
  let text = '['
  for (let index = 0; index < items.length; index++) {
    text += (index === 0 ? '' : ',') + canonicalText(items[index])
  }
  return `${text}]`
}

interface ShapeMember {
  readonly key: string
  /** The quoted key, with the colon. */
  readonly label: string
}

/**
 * A shape of objects: which keys they have, and the order in which to write them. A node of a trie.
 */
interface Shape {
  readonly next: Map<string, Shape>
  members: readonly ShapeMember[] | null
}

let shapes: Shape = { next: new Map(), members: null }
let shapeCount = 0
/** Objects keyed by hashes have any number of shapes, so the cache needs a limit. */
const shapesMax = 2_000

function objectText(value: object): string {
  let shape = shapes
  for (const key in value) shape = shape.next.get(key) ?? grow(shape, key)
  shape.members ??= sortedMembers(Object.keys(value))
  let text = ''
  for (const { key, label } of shape.members) {
    const member = (value as Record<string, unknown>)[key] // one of its own keys
    if (member !== undefined) text += (text === '' ? label : `,${label}`) + canonicalText(member)
  }
  return `{${text}}`
}

function grow(shape: Shape, key: string): Shape {
  if (++shapeCount > shapesMax) {
    shapes = { next: new Map(), members: null }
    shapeCount = 0
  }
  const next: Shape = { next: new Map(), members: null }
  shape.next.set(key, next)
  return next
}

const sortedMembers = (keys: readonly string[]): readonly ShapeMember[] =>
  keys
    .map((key) => ({ key, escaped: key.startsWith('$') ? `$${key}` : key }))
    .sort((a, b) => (a.escaped < b.escaped ? -1 : 1))
    .map(({ key, escaped }) => ({ key, label: `${JSON.stringify(escaped)}:` }))
