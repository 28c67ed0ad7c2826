import { spawn } from 'node:child_process'

/** A request of the parent process, and the answer of the child process. */
interface Question {
  readonly number: number
  readonly name: string
  readonly input: unknown
}
interface Answer {
  readonly number: number
  readonly output?: unknown
  readonly error?: string
}

/** A program in its own process that answers requests. `T` maps their names to functions. */
export interface ChildProgram<T extends Asked> {
  ask<N extends keyof T & string>(
    name: N,
    ...input: Parameters<T[N]>
  ): Promise<Awaited<ReturnType<T[N]>>>
  stop(): Promise<void>
}

/** Requests by name. Inputs and outputs must be JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each program types its own inputs
type Asked = Record<string, (input: any) => unknown>

/** Starts a program with as many open files as the machine allows: streams need one each. */
export function startProgram<T extends Asked>(
  path: string,
  env: Readonly<Record<string, string>> = {},
): ChildProgram<T> {
  const command = 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"'
  const child = spawn('sh', ['-c', command, process.execPath, path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${path} has ended`))
  })
  child.on('message', ({ number, output, error }: Answer) => {
    const asked = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) asked?.resolve(output)
    else asked?.reject(new Error(`${path}: ${error}`))
  })
  let asked = 0
  return {
    ask(name, ...[input]) {
      const number = ++asked
      const answer = Promise.withResolvers<unknown>()
      waiting.set(number, answer)
      child.send({ number, name, input } satisfies Question)
      // The child program is typed by the same `T`.
      return answer.promise as Promise<never>
    },
    async stop() {
      child.kill()
      await exited
    },
  }
}

/** Answers the parent process until it disconnects. */
export function answerParent(answers: Asked): void {
  process.on('message', async ({ number, name, input }: Question) => {
    try {
      const output = await answers[name]?.(input)
      process.send?.({ number, output } satisfies Answer)
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.send?.({ number, error: text } satisfies Answer)
    }
  })
  process.on('disconnect', () => process.exit())
}
