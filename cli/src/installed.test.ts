import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

const command = join(import.meta.dirname, '..', manifest.bin.settlewire)
const folder = mkdtempSync(join(tmpdir(), 'settlewire-installed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ran = (node: string, ...args: string[]) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const env = { PATH: '/usr/bin:/bin', HOME: folder }
    execFile(node, [command, ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    )
  })

/** A Node that is not the pinned one, as far as the command can know. */
const other = join(folder, 'node')
copyFileSync(process.execPath, other)

it.each([
  ['the pinned Node', process.execPath],
  ['another Node', other],
])('the installed command runs on %s', async (_, node) => {
  const version = await ran(node, '--version')
  expect(version).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  // The program looks for the sandbox in the folder of its user, and its exit code is passed on.
  const list = await ran(node, 'list')
  expect(list.code).toBe(3)
  expect(list.err).toContain('sandbox.json')
})
