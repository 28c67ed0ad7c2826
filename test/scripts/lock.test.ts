import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { locked } from '../../scripts/lock.mjs'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'settlewire-lock-'))
  path = join(directory, 'deep/setup.lock')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A process that takes the lock, reports it, and works for a while, logging its start and end. */
const worker = (forMs: number) =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { appendFileSync } from 'node:fs'
       const { locked } = await import(${JSON.stringify(join(import.meta.dirname, '../../scripts/lock.mjs'))})
       const note = (what) => appendFileSync(${JSON.stringify(join(directory, 'notes'))}, what)
       await locked(${JSON.stringify(path)}, {}, async () => {
         note('(')
         console.log('mine')
         await new Promise((resolve) => setTimeout(resolve, ${forMs}))
         note(')')
       })`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )

describe('the lock of the scripts', () => {
  it('lets one process work at a time, and all of them one after the other', async () => {
    const workers = Array.from({ length: 5 }, () => worker(50))
    for (const { child, exit } of workers.map((child) => ({ child, exit: once(child, 'exit') }))) {
      expect((await exit)[0], String(child.pid)).toBe(0)
    }
    expect(readFileSync(join(directory, 'notes'), 'utf8')).toBe('()'.repeat(5))
    expect(existsSync(path)).toBe(false)
  })

  it('is taken over from a process that was killed', async () => {
    const killed = worker(60_000)
    await once(killed.stdout, 'data')
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    expect(await locked(path, {}, () => 'done')).toBe('done')
  })

  it('is taken over when another process has got the pid of the killed one', async () => {
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'owner'), `${process.pid} 1`)
    expect(await locked(path, {}, () => 'done')).toBe('done')
  })

  it('is released when the work fails', async () => {
    await expect(locked(path, {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(existsSync(path)).toBe(false)
  })
})
