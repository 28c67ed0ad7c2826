import { describe, expect, it } from 'vitest'
import { withOpenTokens } from './chains.ts'
import { openTokens } from './open-tokens.ts'

describe('tokens that open payments are paid in', () => {
  it('are found by chain, and the native coin is none', () => {
    const address = '0x1'
    const accepted = [
      { chain: 'a', token: '0xAA', address },
      { chain: 'b', token: null, address },
    ]
    expect(openTokens([accepted, accepted, [{ chain: 'b', token: '0xbb', address }]])).toEqual(
      new Map([
        ['a', new Set(['0xaa'])],
        ['b', new Set(['0xbb'])],
      ]),
    )
    expect(openTokens([])).toEqual(new Map())
  })

  it('are looked for although the configuration names them no longer', () => {
    const chain = { name: 'a', tokens: [{ address: '0xAA' }] }
    const open = new Map([['a', new Set(['0xaa', '0xcc'])]])
    expect(withOpenTokens(chain, open)).toEqual({
      name: 'a',
      tokens: [{ address: '0xAA' }, { address: '0xcc' }],
    })
    expect(withOpenTokens(chain, new Map())).toEqual(chain)
  })
})
