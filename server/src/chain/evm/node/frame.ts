import { fieldsOf } from './hex.ts'

/** Text shorter than this is parsed quickly, whatever it holds. */
const smallMax = 64 * 1024
/** Real answers of nodes have a hundred characters or more per object or list. */
const charactersPerValue = 16

/**
 * The fields of a node's message; null when it is not a JSON object. A large text that is mostly
 * brackets is not parsed at all: an attacker could craft one that needs forty times its size in
 * memory and blocks every other chain meanwhile.
 */
export function parseFrame(text: string): Readonly<Record<string, unknown>> | null {
  if (text.length > smallMax && isBracketsMostly(text)) return null
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    // Not JSON: handled like every other invalid message.
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
