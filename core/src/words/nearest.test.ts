import { describe, expect, it } from 'vitest'
import { nearest } from './nearest.ts'

const names = ['amount', 'currency', 'accept', 'expiresIn', 'reference', 'metadata', 'redirectUrl']

describe('the suggested name', () => {
  it.each([
    ['redirect_url', 'redirectUrl'],
    ['AMOUNT', 'amount'],
    ['ammount', 'amount'],
    ['refrence', 'reference'],
    ['expires-in', 'expiresIn'],
    ['metdata', 'metadata'],
    ['amuont', 'amount'],
  ])('is found for %s', (word, meant) => {
    expect(nearest(word, names)).toBe(meant)
  })

  it('is found for two letters that were swapped in a short name', () => {
    expect(nearest('quite', ['quiet'])).toBe('quiet')
  })

  it.each(['', 'x', 'description', '__proto__', 'a'.repeat(100_000)])(
    'is null when no name is close: %.20s',
    (word) => {
      expect(nearest(word, names)).toBeNull()
    },
  )
})
