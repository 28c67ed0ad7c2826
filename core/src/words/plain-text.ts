const virama = String.raw`[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca]`
const arabic = String.raw`\p{Script=Arabic}&&\p{L}`
/** Arabic letters that join no next letter. After one of them a non-joiner changes nothing. */
const endsJoin = String.raw`[\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef]`

/**
 * Parts of a text that contain hidden characters and are visible all the same: emoji such as a
 * family, a flag or a keycap, and joiners where they change how letters are written, after a virama
 * and between Arabic letters (as RFC 5892, appendix A, has it).
 */
const visible = [
  String.raw`\p{RGI_Emoji}`,
  String.raw`(?<=${virama})(?:\u200d|\u200c(?=\p{L}))`,
  String.raw`(?<=\u09b0)\u200d(?=\u09cd)`,
  String.raw`(?<=[[${arabic}]--${endsJoin}]\p{M}*)\u200c(?=[[${arabic}]--[\u0621\u0674]])`,
]

/** Kinds of characters that hide or reorder text. The first that applies names a character. */
const kinds: readonly (readonly [what: string, of: RegExp])[] = [
  ['a control character', /[\p{Cc}\ufff9-\ufffb]/u],
  ['a line or paragraph separator', /[\u2028\u2029]/u],
  ['half of a surrogate pair', /\p{Surrogate}/u],
  ['a bidirectional control', /\p{Bidi_Control}/u],
  ['a variation selector', /\p{Variation_Selector}/u],
  ['a noncharacter', /\p{Noncharacter_Code_Point}/u],
  ['an invisible tag', /[\u{e0000}-\u{e0fff}]/u],
  ['an invisible character', /\p{Default_Ignorable_Code_Point}/u],
]

/** Finds visible parts first, so that only the other hidden characters are left as `hidden`. */
const parts = new RegExp(
  [...visible, `(?<hidden>${kinds.map(([, of]) => of.source).join('|')})`].join('|'),
  'gv',
)

/**
 * Why a client's text is refused, or null. Two texts that look the same must be the same, and a
 * text must be read in the order in which it is stored: so no control, bidirectional control or
 * invisible character.
 */
export function textProblem(text: string): string | null {
  for (const { groups } of text.matchAll(parts)) {
    const found = groups?.hidden
    if (found === undefined) continue
    const [what = ''] = kinds.find(([, of]) => of.test(found)) ?? []
    return `Must not contain ${codePoint(found)}, ${what}.`
  }
  return null
}

/** The text with each of these characters as `U+202E`, for output that must not show them as is. */
export const visibleText = (text: string): string =>
  text.replace(parts, (part, hidden?: string) => (hidden === undefined ? part : codePoint(part)))

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
