/** Kinds of characters that hide or reorder text, by code points. */
const unseen: readonly (readonly [what: string, of: RegExp])[] = [
  ['a control character', /[\p{Cc}\ufff9-\ufffb]/u],
  ['half of a surrogate pair', /\p{Surrogate}/u],
  ['a bidirectional control', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u],
  [
    'a character without width',
    /\u034f|\u17b4|\u17b5|[\u00ad\u115f\u1160\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0]/u,
  ],
  ['an invisible tag', /[\u{e0000}-\u{e0fff}]/u],
  ['a noncharacter', /\p{Noncharacter_Code_Point}/u],
]

/**
 * Why a client's text is refused, or null. Two texts that look the same must be the same, and a
 * text must be read in the order in which it is stored: so no control, bidirectional control or
 * invisible character.
 */
export function textProblem(text: string): string | null {
  for (const [what, of] of unseen) {
    const [found] = of.exec(text) ?? []
    if (found !== undefined) return `Must not contain ${codePoint(found)}, ${what}.`
  }
  return null
}

/** The text with each of these characters as `U+202E`, for output that must not show them as is. */
export const visibleText = (text: string): string =>
  unseen.reduce((shown, [, of]) => shown.replace(new RegExp(of, 'gu'), codePoint), text)

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
