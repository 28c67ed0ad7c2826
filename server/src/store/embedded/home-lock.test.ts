import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHome, placeOf } from './home-lock.ts'
import { birthOf, livesOn } from './process-birth.ts'

const module = fileURLToPath(new URL('./home-lock.ts', import.meta.url))

describe('the lock of a home', () => {
  let home: string
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'settlewire-lock-'))
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  /** Another process that takes the lock and prints `taken`, or the error; it runs until killed. */
  const contend = async () => {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { lockHome } = await import(process.argv[1])
         try { lockHome(process.argv[2]); console.log('taken') }
         catch (error) { console.log(error.code + ' ' + error.message); process.exit() }
         process.stdin.resume()`,
        module,
        home,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const exited = once(child, 'exit')
    const [said] = await once(child.stdout, 'data')
    return { child, exited, said: String(said).trim() }
  }

  it('is refused while another process holds it, and the error names that process', async () => {
    const holder = await contend()
    expect(holder.said).toBe('taken')
    expect(() => lockHome(home)).toThrow(`Process ${holder.child.pid} uses ${home}`)
    expect((await contend()).said).toMatch(/^home_in_use Process/)
    holder.child.kill('SIGKILL')
    await holder.exited
  })

  it('is free again after its holder was killed', async () => {
    const holder = await contend()
    holder.child.kill('SIGKILL')
    await holder.exited
    const lock = lockHome(home)
    const inUse = `home_in_use Process ${process.pid} uses ${home}.`
    expect((await contend()).said).toBe(`${inUse} It does not answer yet.`)
    lock.recordUrl('http://127.0.0.1:8080')
    expect((await contend()).said).toBe(`${inUse} Settlewire runs at http://127.0.0.1:8080.`)
    lock.release()
    lock.recordUrl('http://127.0.0.1:8080')
    const next = await contend()
    expect(next.said).toBe('taken')
    next.child.kill('SIGKILL')
    await next.exited
  })

  it('does not mistake a process with the same pid for its holder', () => {
    lockHome(home).release()
    const forged = { pid: process.pid, born: 'a boot long ago/1' }
    writeFileSync(join(home, 'lock', '7'), JSON.stringify(forged))
    lockHome(home).release()
    expect(readdirSync(join(home, 'lock'))).toEqual(['8'])
  })

  it('is free when a power cut has truncated its file', () => {
    lockHome(home).release()
    writeFileSync(join(home, 'lock', '7'), '{"pid":1')
    lockHome(home).release()
  })

  it('is not granted twice to one process', () => {
    const lock = lockHome(home)
    expect(() => lockHome(home)).toThrow(`Process ${process.pid} uses`)
    lock.release()
    lock.release()
    lockHome(home).release()
  })

  it('is won by one of several processes that find the same dead holder', async () => {
    for (let round = 0; round < 3; round++) {
      const dead = await contend()
      dead.child.kill('SIGKILL')
      await dead.exited
      const contenders = await Promise.all(Array.from({ length: 6 }, contend))
      const winners = contenders.filter(({ said }) => said === 'taken')
      expect(winners).toHaveLength(1)
      for (const { child } of contenders) child.kill('SIGKILL')
      await Promise.all(contenders.map(({ exited }) => exited))
    }
  })
})

describe('the place of a home', () => {
  it('stays the same at each start, and differs when name, path and inode are the same elsewhere', async () => {
    const home = await mkdtemp(join(tmpdir(), 'settlewire-place-'))
    lockHome(home).release()
    const first = placeOf(home)
    lockHome(home).release()
    expect(placeOf(home)).toBe(first)
    // Another host whose directory has the same path and inode: only the mark is another one.
    rmSync(join(home, 'lock', 'mark'))
    expect(placeOf(home)).not.toBe(first)
    rmSync(home, { recursive: true, force: true })
  })
})

describe('birthOf: the start of a process as text', () => {
  it('stays the same for one process and differs from that of another', async () => {
    const other = spawn('sleep', ['60'])
    await once(other, 'spawn')
    const pid = other.pid ?? 0
    expect(birthOf(process.pid)).toBe(birthOf(process.pid))
    expect(birthOf(pid)).not.toBe(birthOf(process.pid))
    const born = birthOf(pid) ?? ''
    expect(livesOn(pid, born)).toBe(true)
    expect(livesOn(pid, 'another birth')).toBe(false)
    other.kill('SIGKILL')
    await once(other, 'exit')
    expect(birthOf(pid)).toBeNull()
    expect(livesOn(pid, born)).toBe(false)
  })
})
