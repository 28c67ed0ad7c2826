import { describe, expect, it } from 'vitest'
import { textProblem, visibleText } from './plain-text.ts'

describe('a text of a client', () => {
  it.each([
    ['NUL', 'a\0b', 'U+0000'],
    ['a new line', 'a\nb', 'U+000A'],
    ['delete', 'a\u007fb', 'U+007F'],
    ['a C1 control', 'a\u0085b', 'U+0085'],
    ['a right-to-left override', 'invoice\u202egpj.exe', 'U+202E'],
    ['an isolate', '\u2066a', 'U+2066'],
    ['a direction mark', 'a\u200f', 'U+200F'],
    ['a zero-width space', 'or\u200bder', 'U+200B'],
    ['a joiner', 'or\u200dder', 'U+200D'],
    ['a word joiner', 'or\u2060der', 'U+2060'],
    ['a byte order mark', '\ufefforder', 'U+FEFF'],
    ['a soft hyphen', 'or\u00adder', 'U+00AD'],
    ['a Hangul filler', 'or\u3164der', 'U+3164'],
    ['a tag', 'order\u{e0041}', 'U+E0041'],
    ['a line separator', 'a\u2028b', 'U+2028'],
    ['a paragraph separator', 'a\u2029b', 'U+2029'],
    ['a Mongolian variation selector', 'a\u180b', 'U+180B'],
    ['a Mongolian vowel separator', 'a\u180e', 'U+180E'],
    ['the fourth Mongolian variation selector', 'a\u180f', 'U+180F'],
    ['a variation selector', 'a\ufe00', 'U+FE00'],
    ['the text variation of an emoji', '❤\ufe0e', 'U+FE0E'],
    ['the emoji variation of a letter', 'a\ufe0f', 'U+FE0F'],
    ['a second emoji variation', '❤\ufe0f\ufe0f', 'U+FE0F'],
    ['a supplementary variation selector', '葛\u{e0100}', 'U+E0100'],
    ['the last variation selector', 'a\u{e01ef}', 'U+E01EF'],
    ['a musical control', 'a\u{1d173}', 'U+1D173'],
    ['a shorthand control', 'a\u{1bca0}', 'U+1BCA0'],
    ['a Hangul initial filler', 'a\u115f', 'U+115F'],
    ['a Hangul medial filler', 'a\u1160', 'U+1160'],
    ['a half-width Hangul filler', 'a\uffa0', 'U+FFA0'],
    ['an invisible plus', 'a\u2064b', 'U+2064'],
    ['an invisible function application', 'f\u2061x', 'U+2061'],
    ['an interlinear annotation', 'a\ufff9b', 'U+FFF9'],
    ['an unassigned code point that fonts ignore', 'a\ufff0', 'U+FFF0'],
    ['a joiner between emoji that no font joins', '🎉\u200d🎉', 'U+200D'],
    ['a joiner after an emoji', '🎉\u200d', 'U+200D'],
    ['a second joiner after a virama', 'ශ්\u200d\u200dරී', 'U+200D'],
    ['a non-joiner at the end of a Hindi word', 'क्\u200c', 'U+200C'],
    ['a non-joiner after an Arabic letter that joins no next one', 'کار\u200cها', 'U+200C'],
    ['a non-joiner at the end of an Arabic word', 'خانه\u200c', 'U+200C'],
    ['a tag after a flag', '🏴\u{e0041}', 'U+E0041'],
    ['a lone surrogate', 'a\ud800', 'U+D800'],
    ['a noncharacter', 'a\uffff', 'U+FFFF'],
  ])(
    'is refused for a character that hides or reorders others, with its code point: %s',
    (_, text, at) => {
      expect(textProblem(text)).toMatch(new RegExp(`^Must not contain ${at.replace('+', '\\+')}, `))
    },
  )

  it.each([
    '',
    'order-42',
    'Müller & Söhne',
    'заказ № 7',
    '注文 ４２',
    'طلب ٤٢',
    'הזמנה 42',
    'नमस्ते',
    'paid ❤️ 🎉',
    'a family 👨‍👩‍👧, a rainbow flag 🏳️‍🌈, Wales 🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}, key 1️⃣',
    'ශ්\u200dරී ලංකා',
    'অ্যাপ র\u200d্যাম',
    'അവന്\u200d',
    'क्\u200cष',
    'می\u200cخواهم خانه\u200cها',
    '한글 ｱﾊﾟｰﾄ ᠮᠣᠩᠭᠣᠯ',
  ])('is accepted in any language: %s', (text) => {
    expect(textProblem(text)).toBeNull()
  })

  it('is shown with the code points of invisible characters', () => {
    expect(visibleText('a\u202eb\u200bc\0')).toBe('aU+202EbU+200BcU+0000')
    expect(visibleText('❤️a\ufe0f')).toBe('❤️aU+FE0F')
  })
})
