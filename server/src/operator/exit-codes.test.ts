import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { operatorProgram } from '../../../test/support/e2e/operator.ts'
import { temporaryHome } from '../../../test/support/e2e/server.ts'
import { lockHome } from '../store/embedded/home-lock.ts'
import { exitsOf, exitsText, type OperatorCommandName, operatorExits } from './exit-codes.ts'

const commands = Object.keys(exitsOf) as OperatorCommandName[] // the table's own keys

/** Arguments with which each command needs the database. */
const lines: Readonly<Record<OperatorCommandName, string>> = {
  merchant: 'merchant list',
  key: 'key list',
  audit: 'audit',
  rescan: 'rescan --chain local --from 0',
}

describe('the exit codes of operator commands', { timeout: 60_000 }, () => {
  it('have one meaning each', () => {
    const codes = Object.values(operatorExits).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('are in docs/operating.md, each with the commands that can end with it', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
    for (const [exit, { code, means }] of Object.entries(operatorExits)) {
      const by = commands.filter((command) => exitsOf[command].some((each) => each === exit))
      const names =
        by.length === commands.length ? 'all' : by.map((each) => `\`${each}\``).join(', ')
      expect(text).toContain(`| ${code} | ${means} | ${names} |`)
    }
  })

  it.each(commands)('are in the help of %s', async (command) => {
    const { code, out } = await operatorProgram([command, '--help'], {})
    expect(code).toBe(operatorExits.done.code)
    expect(out.replaceAll(/\s+/g, ' ')).toContain(`Exit codes: ${exitsText(command)}.`)
  })

  it.each(commands)(
    'of %s is 2 for an invalid command line, with one line about it',
    async (command) => {
      const { code, out, err } = await operatorProgram([command, '--nonsense'], {})
      expect([code, out]).toEqual([operatorExits.usage.code, ''])
      expect(err).toMatch(
        new RegExp(`^[^\\n]*nonsense[^\\n]*\\nSee npx settlewire ${command} --help\\.\\n$`),
      )
    },
  )

  it.each(commands)('of %s is 1 if another process uses the data directory', async (command) => {
    const home = temporaryHome()
    const lock = lockHome(home.path)
    // A database that exists, as far as the command looks before it takes the lock.
    mkdirSync(join(home.path, 'postgres', 'data'), { recursive: true })
    const env = { DATABASE_URL: 'embedded', SETTLEWIRE_HOME: home.path, SETTLEWIRE_CONFIG: 'off' }
    const { code, err } = await operatorProgram((lines[command] ?? '').split(' '), env)
    lock.release()
    home.remove()
    expect(err).toContain('(home_in_use)')
    expect(code).toBe(operatorExits.failed.code)
  })
})
