import { expect, it } from 'vitest'
import { commands, wordsOf } from './commands.ts'
import { helpOf } from './help.ts'

it.each(Object.entries(commands))('the help of %s explains each of its options', (_, command) => {
  const help = helpOf(command)
  const options = command.takes.filter((name) => !wordsOf(command).includes(name))
  for (const name of options) expect(help).toMatch(new RegExp(`^  --${name} .*\\w$`, 'm'))
})
