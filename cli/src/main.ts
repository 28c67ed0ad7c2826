import { Client } from '@settlewire/client/client'
import { nearest } from '@settlewire/core/words/nearest'
import manifest from '../package.json' with { type: 'json' }
import { CommandLine } from './ask.ts'
import { commands, wordsOf } from './commands.ts'
import { type ExitName, exitCodes } from './exit-code.ts'
import { help, helpOf } from './help.ts'
import { isOperatorCommand, operatorCommands, runOperatorCommand } from './operator.ts'
import { CliProblem, helpAdvice, Interrupted, tell } from './problem.ts'
import { readSettings } from './settings.ts'
import type { Medium } from './show-event.ts'
import { withAddress } from './unreachable.ts'

async function run(line: readonly string[]): Promise<ExitName> {
  const asked = new CommandLine(line, Object.keys(commands))
  if (asked.version && asked.command === undefined) {
    process.stdout.write(`${manifest.version}\n`)
    return 'done'
  }
  const name = asked.command ?? ''
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const wantsHelp = asked.help || name === 'help'
  if (wantsHelp || asked.command === undefined) {
    process.stdout.write(asked.help && command !== undefined ? helpOf(command) : help)
    return wantsHelp ? 'done' : 'usage'
  }
  if (command === undefined) {
    const meant = nearest(asked.command, [...Object.keys(commands), ...operatorCommands])
    const words = `Unknown command: ${asked.command}.`
    const hint = meant === null ? '' : ` Did you mean ${meant}?`
    throw new CliProblem('usage', `${words}${hint}`, helpAdvice)
  }
  asked.only(command.takes, wordsOf(command))
  const { baseUrl, key } = await readSettings({
    url: asked.option('url'),
    sandbox: asked.option('sandbox'),
  })
  const interrupted = new AbortController()
  // More than once: with Ctrl-C the terminal and the starting process both send it.
  process.on('SIGINT', () => interrupted.abort(new Interrupted()))
  const address = new URL(baseUrl).origin
  const medium: Medium = process.stdout.isTTY ? 'terminal' : 'pipe'
  const work = {
    client: new Client({ baseUrl, key }),
    ...{ address, medium },
    asked,
    print: (text: string) => process.stdout.write(`${text}\n`),
    note: (text: string) => process.stderr.write(`${text}\n`),
    signal: interrupted.signal,
  }
  try {
    return await command.run(work)
  } catch (error) {
    // A response that was cut off by Ctrl-C can also look like an answer of another program.
    throw interrupted.signal.aborted ? interrupted.signal.reason : withAddress(error, address)
  }
}

// `settlewire list | head` closes the pipe once it has enough lines: this is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCodes.done)
})

try {
  const [first, ...rest] = process.argv.slice(2)
  // At once: while a process ends by itself it no longer listens to signals, and a second Ctrl-C
  // would take the place of the program's exit code.
  if (isOperatorCommand(first)) process.exit(await runOperatorCommand(first, rest))
  process.exitCode = exitCodes[await run(process.argv.slice(2))]
} catch (error) {
  const told = tell(error)
  if (told === null) console.error(error)
  for (const line of told?.lines ?? []) console.error(line)
  process.exitCode = exitCodes[told?.exit ?? 'broken']
}
