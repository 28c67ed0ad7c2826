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
  ])('is accepted in any language: %s', (text) => {
    expect(textProblem(text)).toBeNull()
  })

  it('is shown with the code points of invisible characters', () => {
    expect(visibleText('a\u202eb\u200bc\0')).toBe('aU+202EbU+200BcU+0000')
  })
})
