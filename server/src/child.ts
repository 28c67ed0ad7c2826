import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Failure } from '@settlewire/core/errors'

export interface ChildOptions {
  /** An absolute path, or a name on the PATH of `env`. */
  readonly command: string
  readonly args: readonly string[]
  /** Run as another user; only root may. */
  readonly uid?: number
  readonly gid?: number
  /** The whole environment of the child. Default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Must be reachable by the child's user. */
  readonly cwd?: string
  /** The signal on which this program shuts down cleanly. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'
  /** Seconds after the stop signal until the child is killed. */
  readonly stopSeconds?: number
  /** Gets each line of output. It may contain keys: never log it without filtering. */
  readonly onLine?: (line: string) => void
}

export interface Child {
  /** The pid of the program itself, not of a wrapper. */
  readonly pid: number
  /** The exit code, or null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>
  /** Stops the child. Resolves when it has exited. May be called again, also after its own exit. */
  stop(): Promise<void>
}

const stopSecondsDefault = 10

/**
 * The child must not outlive us, not even when we are killed with SIGKILL. So a watcher process of
 * a few kilobytes reads a pipe that only we hold open. A line on the pipe means that the child
 * exited by itself; end of file means that we have died, or want the child to stop. The watcher
 * signals only the original child (it compares the start time), never a later process with the same
 * pid. The watcher is detached, and the shell `exec`s the program: the pid is the program's own.
 */
const supervise = `
signal=$1 patience=$2; shift 2
born() {
  if [ -r /proc/self/stat ]; then
    read -r line 2>/dev/null < /proc/$$/stat || return 0
    set -- \${line##*) }
    [ "$1" = Z ] || echo "\${20}"
  else ps -o lstart= -p $$; fi
}
exec 3<&0 </dev/null
was=$(born)
( (
  exec >/dev/null 2>&1
  if read -r line <&3; then exit 0; fi
  [ "$(born)" = "$was" ] || exit 0
  kill -s "$signal" $$
  waited=0
  while [ "$(born)" = "$was" ]; do
    if [ $waited -ge $((patience * 20)) ]; then kill -s KILL $$; exit 0; fi
    sleep 0.05; waited=$((waited + 1))
  done
) & )
exec "$@" 3<&-
`

/**
 * Starts a program that is stopped when this process ends, however it ends. It has its own session,
 * so that a Ctrl-C in the terminal reaches only us and we can shut down in order. Rejects with
 * `internal` when it cannot be started.
 */
export async function spawnSupervised(options: ChildOptions): Promise<Child> {
  const { command, args, uid, gid, stopSignal } = options
  const patience = String(options.stopSeconds ?? stopSecondsDefault)
  const child = spawn(
    '/bin/sh',
    ['-c', supervise, 'sh', stopSignal.slice(3), patience, command, ...args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    },
  )
  const exited = whenExited(child)
  const pid = await whenSpawned(child, command)
  for (const output of [child.stdout, child.stderr]) {
    follow(output, (line) => options.onLine?.(line))
  }
  // The watcher may exit before us: ignore errors of its pipe.
  child.stdin.on('error', () => undefined)
  void exited.then(() => child.stdin.end('gone\n'))
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(stopSignal)
      child.stdin.end()
    }
    await exited
  }
  return { pid, exited, stop }
}

function whenExited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(null))
  })
}

function whenSpawned(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void =>
      reject(new Failure('internal', `Could not start ${command}.`, { cause }))
    child.once('error', fail)
    child.once('spawn', () => (child.pid === undefined ? fail() : resolve(child.pid)))
  })
}

function follow(output: Readable, onLine: (line: string) => void): void {
  const lines = createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY })
  lines.on('line', onLine)
  // A read error of the output comes with the end of the child, which `exited` reports.
  output.on('error', () => lines.close())
}
