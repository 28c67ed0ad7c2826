import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programEnv } from '../program-env.ts'

const root = join(import.meta.dirname, '../../..')
const readyWithinMs = 60_000

/** The content of `sandbox.json`. */
export interface SandboxFacts {
  readonly url: string
  readonly merchantId: string
  readonly secretKey: string
  readonly rpcUrl: string
  readonly token: { readonly address: string; readonly decimals: number }
  readonly payer: string
}

/** The whole product in a process of its own, as `npm start` runs it. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** Empty for a server without a sandbox. */
  readonly sandbox: SandboxFacts
  /** Everything it has written to its output. */
  output(): string
  readonly exited: Promise<void>
  /** Ends it with SIGKILL, like a power cut. */
  kill9(): Promise<void>
  stop(): Promise<void>
  /** Ends it with SIGINT, like Ctrl-C. */
  interrupt(): Promise<void>
}

export interface ServerOptions {
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  /** Another program that calls the same `start`; default server/src/main.ts. */
  readonly program?: string
  readonly args?: readonly string[]
}

/** Starts it and resolves when it is ready; rejects with its output when it ends instead. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { home, env = {}, program = 'server/src/main.ts', args = [] } = options
  const child = spawn(process.execPath, [join(root, program), ...args], {
    cwd: root,
    env: { ...programEnv(), PORT: '0', LOG_LEVEL: 'warn', SETTLEWIRE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time\n${output}`)), readyWithinMs)
    const hear = (chunk: Buffer): void => {
      output += chunk.toString()
      const [, ready] = /is ready: (\S+)/.exec(output) ?? []
      if (ready !== undefined) resolve(ready)
      if (ready !== undefined) clearTimeout(timer)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    exited.then(() => reject(new Error(`ended before it was ready\n${output}`)))
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await exited
  }
  return {
    ...{ url, exited, pid: child.pid ?? 0, output: () => output },
    sandbox: factsIn(join(home, 'sandbox.json')),
    kill9: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    interrupt: () => end('SIGINT'),
  }
}

const factsIn = (path: string): SandboxFacts =>
  JSON.parse(existsSync(path) ? readFileSync(path, 'utf8') : '{}')

/**
 * A data directory, removed by `remove`. The database's user has access to it, so that the embedded
 * database is inside it also when the tests run as root.
 */
export function temporaryHome(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'settlewire-e2e-'))
  chmodSync(path, 0o711)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
