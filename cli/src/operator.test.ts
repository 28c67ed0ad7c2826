import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exitCodeOf, runProgram } from './operator.ts'

const folder = mkdtempSync(join(tmpdir(), 'settlewire-operator-'))
afterAll(() => rmSync(folder, { recursive: true }))

it.each([
  [0, null, 0],
  [3, null, 3],
  [null, 'SIGINT', 130],
  [null, 'SIGTERM', 143],
  [null, 'SIGKILL', 137],
] as const)(
  'a program that ends with code %s and signal %s makes the exit code %i',
  (code, signal, expected) => {
    expect(exitCodeOf(code, signal)).toBe(expected)
  },
)

it.each([
  ['process.kill(process.pid, "SIGINT"); setInterval(() => {}, 1000)', 130],
  ['process.exitCode = 3', 3],
])('a program that runs %j makes the exit code %i', async (source, expected) => {
  const program = join(folder, `ends-with-${expected}.mjs`)
  writeFileSync(program, source)
  expect(await runProgram(program, [])).toBe(expected)
})

it('settlewire audit exits with 130 at Ctrl-C, however often the signal arrives', async () => {
  // A pipe that nothing is written to. It opens when the audit reads it.
  const dump = join(folder, 'dump.sql')
  execFileSync('mkfifo', [dump])
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, 'audit', '--from-dump', dump], {
    stdio: 'inherit',
    env: { PATH: process.env.PATH, TMPDIR: folder },
  })
  const ended = once(child, 'exit')
  const pipe = await open(dump, 'w')
  const sending = setInterval(() => child.kill('SIGINT'), 1)
  expect(await ended).toEqual([130, null])
  clearInterval(sending)
  await pipe.close()
})
