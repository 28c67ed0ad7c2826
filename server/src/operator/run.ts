import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { readConfig } from '../config.ts'
import { complaint } from '../program.ts'
import { openPlace } from './place.ts'
import {
  helpOf,
  type OperatorAnswer,
  type OperatorCommand,
  type ParsedCommand,
  readAsked,
} from './subcommand.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../../..')

const exits = { done: 0, failed: 1, usage: 2 } as const

/** Runs an operator command with the arguments of the shell. Resolves with its exit code. */
export async function runOperator(
  command: OperatorCommand,
  args: readonly string[],
): Promise<number> {
  try {
    const asked = readAsked(command, args)
    if (asked === null) {
      process.stdout.write(helpOf(command))
      return args.length === 0 ? exits.usage : exits.done
    }
    const answer = await run(asked)
    const lines = asked.json ? answer.json.map((each) => JSON.stringify(each)) : [answer.text]
    for (const line of lines) process.stdout.write(`${line}\n`)
    if (answer.warning != null) process.stderr.write(`${answer.warning}\n`)
    return exits.done
  } catch (error) {
    if (error instanceof Failure && error.code === 'invalid_request') {
      process.stderr.write(`${error.message}\nSee npx settlewire ${command.name} --help.\n`)
      return exits.usage
    }
    process.stderr.write(complaint(error, 'run this command'))
    return exits.failed
  }
}

async function run({ work, subcommand }: ParsedCommand): Promise<OperatorAnswer> {
  const closers: (() => unknown)[] = []
  try {
    const onClose = (closer: () => unknown): void => void closers.unshift(closer)
    const begins = subcommand.begins === true
    return await work(await openPlace({ root, config: readConfig(root), begins, onClose }))
  } finally {
    for (const closer of closers) await closer()
  }
}
