import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { complaint } from '../program.ts'
import { operatorExits, readOrExit } from './exit-codes.ts'
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

/** Runs an operator command with the arguments of the shell. Resolves with its exit code. */
export async function runOperator(
  command: OperatorCommand,
  args: readonly string[],
): Promise<number> {
  try {
    const read = readOrExit(command.name, () => readAsked(command, args))
    if (typeof read === 'number') return read
    if (read.asked === null) {
      process.stdout.write(helpOf(command))
      return operatorExits[args.length === 0 ? 'usage' : 'done'].code
    }
    const answer = await run(read.asked)
    const lines = read.asked.json ? answer.json.map((each) => JSON.stringify(each)) : [answer.text]
    for (const line of lines) process.stdout.write(`${line}\n`)
    if (answer.warning != null) process.stderr.write(`${answer.warning}\n`)
    return operatorExits.done.code
  } catch (error) {
    process.stderr.write(complaint(error, 'run this command'))
    return operatorExits.failed.code
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
