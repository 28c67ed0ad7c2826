import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Failure } from '@settlewire/core/errors'

export interface ChildOptions {
  /** Absolute, or found on the PATH of `env`. */
  readonly command: string
  readonly args: readonly string[]
  /** Run as another user; only root may. */
  readonly uid?: number
  readonly gid?: number
  /** The whole environment of the child; ours when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Must be reachable by the child's user. */
  readonly cwd?: string
  /** What asks this program to end in good order. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'
  /** After so many seconds of not ending it is killed. */
  readonly stopSeconds?: number
  /** Gets each line of output. What other programs say may hold keys: it is logged by nobody unseen. */
  readonly onLine?: (line: string) => void
}

export interface Child {
  /** Of the program itself, not of a wrapper. */
  readonly pid: number
  /** The exit code, or null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>
  /** Resolves when it is gone; again and again, also when it went by itself. */
  stop(): Promise<void>
}

const stopSecondsDefault = 10

/**
 * The child must not outlive us, not even when we are killed with SIGKILL and can do nothing about
 * it. So a watcher of a few kilobytes waits on a pipe that only we hold open. A line on it means
 * that the child went by itself; its end means that we are gone, or want the child gone. It signals
 * only the process that it was born beside (start time compared), never a later one with its number.
 * The watcher is nobody's child, and the shell becomes the program: the pid is the program's own.
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
 * Starts a program that ends when this process ends, however it ends. It runs in a session of its
 * own, so that a Ctrl-C in the terminal reaches us alone and we close things in order.
 * Rejects with `internal` when it cannot be started.
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
  // The watcher may be gone before us; what the pipe then says is of no interest.
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
  // Output that cannot be read any more ends with the child; `exited` tells about that.
  output.on('error', () => lines.close())
}
