import { describe, expect, it } from 'vitest'
import { keyCommand } from './key.ts'
import { readAsked } from './operator/subcommand.ts'

const mer = `mer_${'0'.repeat(26)}`
const id = `key_${'0'.repeat(26)}`
const read = (line: string) => readAsked(keyCommand, line.split(' '))

describe('the command line of settlewire key', () => {
  it.each([
    `create --merchant ${mer}`,
    `create --merchant ${mer} --live --name back-end`,
    `create --merchant ${mer} --scope events:read --scope payment_intents:read`,
    `create --merchant ${mer} --kind restricted --scope events:read,payment_intents:read`,
    `create --merchant ${mer} --kind publishable`,
    'list',
    `list --merchant ${mer} --all --json`,
    `rotate ${id}`,
    `rotate ${id} --overlap 0`,
    `rotate ${id} --overlap 90d`,
    `revoke ${id}`,
    `rename ${id} --name till`,
  ])('accepts %s', (line) => {
    expect(read(line)?.json).toBe(line.includes('--json'))
  })

  it.each([
    ['create', '--merchant is missing'],
    ['create --kind foo', '--merchant is missing'],
    [
      'create --merchant acme',
      'The id of a merchant looks like mer_… with 26 characters after mer_.',
    ],
    [
      `create --merchant ${mer} --scope event:read`,
      'Unknown scope event:read. Did you mean events:read?',
    ],
    [
      `create --merchant ${mer} --scope everything`,
      'Unknown scope everything. Known scopes: payment_intents:read,',
    ],
    [`create --merchant ${mer} --kind secrets`, 'Unknown kind secrets. Did you mean secret?'],
    [`create --merchant ${mer} --kind restricted`, 'A restricted key needs a --scope'],
    [`create --merchant ${mer} --kind secret --scope events:read`, 'A secret key has no scopes'],
    [`create --merchant ${mer} --mercant x`, 'Unknown option --mercant. Did you mean --merchant?'],
    ['lst', 'Unknown subcommand settlewire key lst. Did you mean list?'],
    ['rotate', 'Missing id: npx settlewire key rotate <id>'],
    [`rotate ${id} --overlap 1y`, '--overlap takes 30m, 24h, 7d'],
    [`rotate ${id} --overlap 91d`, '--overlap takes 30m, 24h, 7d'],
    [`create --merchant ${mer} --name ${'n'.repeat(101)}`, '--name takes 1 to 100 characters'],
    [`create --merchant ${mer} --name a\u3164b`, '--name: Must not contain U+3164'],
    ['rename', 'Missing id: npx settlewire key rename <id>'],
    [`rename ${id}`, '--name takes 1 to 100 characters'],
    [`rename ${id} --name a\u202eb`, '--name: Must not contain U+202E, a bidirectional control.'],
    ['revoke sk_test_x', 'The id of a key looks like key_… with 26 characters after key_.'],
  ])('refuses %s', (line, says) => {
    expect(() => read(line)).toThrow(says)
    expect(() => read(line)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})
