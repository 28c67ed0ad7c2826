import { fieldsOf } from './hex.ts'

/** Shorter than this anything is parsed in no time. */
const smallMax = 64 * 1024
/** What nodes answer has a hundred characters or more to each object or list. */
const charactersPerValue = 16

/**
 * A message of a node as its fields; null when it is none. One that is mostly brackets is not parsed
 * at all: made so on purpose, it takes forty times its size in memory, and every other chain waits.
 */
export function parseFrame(text: string): Readonly<Record<string, unknown>> | null {
  if (text.length > smallMax && isBracketsMostly(text)) return null
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    // Not JSON: handled like everything else that is no message.
    return null
  }
}

function isBracketsMostly(text: string): boolean {
  let left = text.length / charactersPerValue
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (--left < 0) return true
    }
  }
  return false
}
