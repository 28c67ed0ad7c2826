import { expect, it } from 'vitest'
import { commands, wordsOf } from './commands.ts'
import { help, helpOf } from './help.ts'

it.each(Object.entries(commands))('the help of %s explains each of its options', (_, command) => {
  const help = helpOf(command)
  const options = command.takes.filter((name) => !wordsOf(command).includes(name))
  for (const name of options) expect(help).toMatch(new RegExp(`^  --${name} .*\\w$`, 'm'))
})

it('no line of the help is longer than 100 columns', () => {
  const lines = [help, ...Object.values(commands).map(helpOf)].join('\n').split('\n')
  expect(lines.filter((line) => line.length > 100)).toEqual([])
  expect(help).toContain('130 interrupted.')
})
