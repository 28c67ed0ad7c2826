import { describe, expect, it } from 'vitest'
import { readArguments } from './merchant.ts'
import { xpubOf } from './sandbox/demo.ts'

const xpub = xpubOf('legal winner thank year wave sausage worth useful legal winner thank yellow')
const named = ['create', '--name', 'Harbour Books']

describe('the command that registers a merchant', () => {
  it('takes a name and an xpub, for test money unless it is told otherwise', () => {
    expect(readArguments([...named, '--xpub', xpub])).toEqual({
      ...{ name: 'Harbour Books', xpub, livemode: false },
    })
    expect(readArguments([...named, `--xpub=${xpub}`, '--live'])?.livemode).toBe(true)
  })

  it.each([[[]], [['--help']], [['help']]])('explains itself when asked %j', (args) => {
    expect(readArguments(args)).toBeNull()
  })

  it.each([
    ['another word', ['remove'], 'invalid_request'],
    ['an option it does not know', [...named, '--xprv', 'x'], 'invalid_request'],
    ['a name that hides characters', ['create', '--name', 'Har\u202ebour'], 'invalid_request'],
    ['no name', ['create', '--xpub', xpub], 'invalid_request'],
    ['no key', named, 'merchant_cannot_receive'],
    ['something that is no key', [...named, '--xpub', 'xpub661'], 'merchant_cannot_receive'],
  ])('refuses %s', (_, args, code) => {
    expect(() => readArguments(args)).toThrow(expect.objectContaining({ code }))
  })
})
