import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { programEnv } from '../program-env.ts'

const root = join(import.meta.dirname, '../../..')

/** The exit code of a command and its output. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Environment = Readonly<Record<string, string>>

/** Runs `settlewire …` as an operator does, in a process of its own. */
export const settlewire = (line: readonly string[], env: Environment): Promise<Ran> =>
  run('cli/src/main.ts', line, env)

/** Runs the program of `settlewire merchant` or `settlewire key` directly: one process fewer. */
export const operatorProgram = (
  [name = '', ...args]: readonly string[],
  env: Environment,
): Promise<Ran> => run(`server/src/${name}.ts`, args, env)

function run(program: string, args: readonly string[], env: Environment): Promise<Ran> {
  const child = spawn(process.execPath, [join(root, program), ...args], {
    env: { ...programEnv(), ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (data) => {
    out += String(data)
  })
  child.stderr.on('data', (data) => {
    err += String(data)
  })
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code: code ?? -1, out, err })),
  )
}
