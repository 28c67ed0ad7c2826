import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
const command = join('cli', manifest.bin.settlewire)
const folder = mkdtempSync(join(tmpdir(), 'settlewire-installed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const asked = spawnSync('node', ['-p', 'process.features.typescript || process.execPath'], {
  ...{ env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' },
})
/** The Node of the system, if it cannot read TypeScript; else a copy of ours. */
const older = asked.stdout?.trim().startsWith('/') ? asked.stdout.trim() : join(folder, 'node')
if (older.startsWith(folder)) copyFileSync(process.execPath, older)

const ran = (node: string, ...args: string[]) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const env = { PATH: '/usr/bin:/bin', HOME: folder }
    execFile(node, [join(root, command), ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    )
  })

it.each([
  ['the pinned Node', process.execPath],
  ['another Node', older],
])('the installed command runs on %s', async (_, node) => {
  const version = await ran(node, '--version')
  expect(version).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  // The program looks for the sandbox in the folder of its user, and its exit code is passed on.
  const list = await ran(node, 'list')
  expect(list.code).toBe(3)
  expect(list.err).toContain('sandbox.json')
})

it('the installed command passes SIGTERM to the pinned Node and ends with it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on a port has an address object.
  const { port } = server.address() as AddressInfo
  const SETTLEWIRE_URL = `http://127.0.0.1:${port}`
  const child = spawn(older, [join(root, command), 'list'], {
    env: { PATH: '/usr/bin:/bin', SETTLEWIRE_KEY: 'sk_test_any', SETTLEWIRE_URL },
  })
  const [request] = await once(server, 'request')
  const closed = once(request.socket, 'close')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([143, null])
  await closed
  server.close()
})

it('the installed command says what to do if the pinned Node is missing', async () => {
  const stamp = 'node_modules/.settlewire-setup'
  const manifests = execFileSync('git', ['ls-files', '*package.json', 'package-lock.json'], {
    ...{ cwd: root, encoding: 'utf8' },
  })
  for (const path of [command, stamp, ...manifests.trim().split('\n')]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(root, path), join(folder, path))
  }
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
  cpSync(join(root, 'cli/src'), join(folder, 'cli/src'), { recursive: true })
  // With this option our Node cannot read TypeScript, like Node 18 and 20.
  const line = ['--no-strip-types', join(folder, command), 'list']
  const { code, err } = await new Promise<{ code: unknown; err: string }>((resolve) => {
    // No npm in this PATH: a set-up would fail instead of installing.
    const options = { env: { PATH: folder } }
    execFile(process.execPath, line, options, (error, _, err) =>
      resolve({ code: error?.code, err }),
    )
  })
  expect([code, err]).toEqual([
    1,
    'The Node for this command is not installed: run `npm ci` in the folder of the project first.\n',
  ])
})
