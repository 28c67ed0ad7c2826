import { describe, expect, it } from 'vitest'
import { merchantCommand } from './merchant.ts'
import { helpOf, readAsked } from './operator/subcommand.ts'
import { xpubOf } from './sandbox/demo.ts'

const xpub = xpubOf('legal winner thank year wave sausage worth useful legal winner thank yellow')
const named = ['create', '--name', 'Harbour Books']
const read = (args: readonly string[]) => readAsked(merchantCommand, args)
const id = `mer_${'0'.repeat(26)}`

describe('the command line of settlewire merchant', () => {
  it.each([
    [[...named, '--xpub', xpub]],
    [[...named, `--xpub=${xpub}`, '--live', '--json']],
    [['list']],
    [['show', id]],
    [['rename', id, '--name', 'Harbour & Sons']],
    [['disable', id]],
    [['enable', id]],
  ])('accepts %j', (args) => {
    expect(read(args)?.json).toBe(args.includes('--json'))
  })

  it.each([[[]], [['--help']], [['help']], [['create', '--help']], [['list', '-h']]])(
    'prints its help for %j',
    (args) => {
      expect(read(args)).toBeNull()
    },
  )

  it('has every subcommand and option in its help', () => {
    const help = helpOf(merchantCommand)
    for (const [name, { options }] of Object.entries(merchantCommand.subcommands)) {
      expect(help).toContain(`settlewire merchant ${name}`)
      for (const option of Object.keys(options)) expect(help).toContain(`--${option}`)
    }
  })

  it.each([
    ['an unknown subcommand', ['remove'], 'invalid_request', 'Unknown subcommand'],
    ['a misspelled subcommand', ['craete'], 'invalid_request', 'Did you mean create?'],
    ['a misspelled option', [...named, '--xpb', 'x'], 'invalid_request', 'Did you mean --xpub?'],
    ['an unknown option', [...named, '--seed', 'x'], 'invalid_request', 'Unknown option --seed'],
    ['a hidden character', ['create', '--name', 'Har\u202ebour'], 'invalid_request', ''],
    ['no name', ['create', '--xpub', xpub], 'invalid_request', '--name takes 1 to 100'],
    ['no key', named, 'invalid_request', '--xpub is missing: the extended public key'],
    ['a malformed key', [...named, '--xpub', 'xpub661'], 'merchant_cannot_receive', ''],
    ['no id', ['show'], 'invalid_request', 'Missing id: npx settlewire merchant show <id>'],
    ['the id of a key', ['show', 'key_1'], 'invalid_request', 'looks like mer_…'],
    ['two ids', ['disable', id, id], 'invalid_request', `Unexpected argument ${id}`],
    ['no new name', ['rename', id], 'invalid_request', '--name takes 1 to 100 characters'],
  ])('refuses %s', (_, args, code, says) => {
    expect(() => read(args)).toThrow(says)
    expect(() => read(args)).toThrow(expect.objectContaining({ code }))
  })
})
