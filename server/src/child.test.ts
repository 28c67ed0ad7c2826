import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Child, spawnSupervised } from './child.ts'
import { systemClock } from './clock.ts'

const common = { stopSignal: 'SIGTERM', cwd: '/' } as const

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  // Long, because a dead orphan counts as alive until init has reaped it.
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return
    await systemClock.sleep(10)
  }
  throw new Error(`timed out waiting until ${what}`)
}

/** A shell that prints `ready` when its traps are set, so that no signal comes too early. */
async function shell(script: string, stopSeconds = 10): Promise<Child> {
  let ready = false
  const child = await spawnSupervised({
    ...common,
    command: '/bin/sh',
    args: ['-c', script],
    stopSeconds,
    onLine: (line) => {
      ready ||= line === 'ready'
    },
  })
  await until(() => ready, 'the shell is ready')
  return child
}

describe('a supervised child', () => {
  it('is the program itself, gets its arguments unchanged, and has an exit code', async () => {
    const lines: string[] = []
    const child = await spawnSupervised({
      ...common,
      command: '/bin/sh',
      args: ['-c', 'echo "$$|$1"; exit 7', 'sh', 'two  words; $HOME "quoted"'],
      onLine: (line) => lines.push(line),
    })
    expect(await child.exited).toBe(7)
    await until(() => lines.length === 1, 'there is one line')
    expect(lines).toEqual([`${child.pid}|two  words; $HOME "quoted"`])
    await child.stop()
  })

  it('is stopped with its stop signal', async () => {
    const child = await shell('trap "exit 3" TERM; echo ready; while :; do sleep 0.02; done')
    await child.stop()
    expect(await child.exited).toBe(3)
    expect(alive(child.pid)).toBe(false)
  })

  it('is killed when it does not stop in time', async () => {
    const child = await shell('trap "" TERM; echo ready; while :; do sleep 0.02; done', 1)
    await child.stop()
    expect(await child.exited).toBe(null)
  })

  it('ends when its parent is killed with SIGKILL', async () => {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { spawnSupervised } = await import(process.argv[1])
         const child = await spawnSupervised(
           { command: 'sleep', args: ['300'], stopSignal: 'SIGTERM', cwd: '/' })
         console.log(child.pid)`,
        fileURLToPath(new URL('./child.ts', import.meta.url)),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line))
    expect(alive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until(() => !alive(pid), 'the child is gone')
  })

  it('leaves no watcher behind when it ends by itself', async () => {
    const child = await spawnSupervised({ ...common, command: 'sleep', args: ['0'] })
    expect(await child.exited).toBe(0)
    // The watcher belongs to the process group of the child.
    await until(() => {
      try {
        process.kill(-child.pid, 0)
        return false
      } catch {
        return true
      }
    }, 'the process group is empty')
  })

  it('needs an existing directory, and exits with 127 for a missing program', async () => {
    const start = spawnSupervised({ ...common, cwd: '/does/not/exist', command: 'true', args: [] })
    await expect(start).rejects.toMatchObject({ code: 'internal' })
    const missing = await spawnSupervised({ ...common, command: '/no/such', args: [] })
    expect(await missing.exited).toBe(127)
  })
})
