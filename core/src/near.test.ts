import { describe, expect, it } from 'vitest'
import { meantBy } from './near.ts'

const names = ['merchant', 'mode', 'from-dump', 'scope']

describe('a word that is not known', () => {
  it.each([
    ['a letter is wrong', 'merchent', 'merchant'],
    ['a letter is missing', 'mechant', 'merchant'],
    ['a letter is doubled', 'scoppe', 'scope'],
    ['two letters are swapped', 'socpe', 'scope'],
    ['the case is another', 'Scope', 'scope'],
    ['it was not typed to its end', 'from', 'from-dump'],
    ['there is one letter too many at the end', 'scopes', 'scope'],
  ])('is taken for the one that was meant where %s', (_, typed, meant) => {
    expect(meantBy(typed, names)).toBe(meant)
  })

  it.each([['xprv'], ['']])('is taken for none where none is near: "%s"', (typed) => {
    expect(meantBy(typed, names)).toBeNull()
  })
})
