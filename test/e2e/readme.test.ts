import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { receivingKey } from '../../server/src/receiving-key.ts'
import { xpubOf } from '../../server/src/sandbox/demo.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const root = join(import.meta.dirname, '../..')
const folder = temporaryHome()
let database: TestDatabase
let server: ServerProcess
beforeAll(async () => {
  database = await testDatabase()
  const home = join(folder.path, '.settlewire')
  mkdirSync(home)
  const env = { DATABASE_URL: database.url, SANDBOX_BLOCK_SECONDS: '1' }
  server = await startServer({ home, env })
})
afterAll(async () => {
  await server.stop()
  await database.close()
  folder.remove()
})

/** The commands of the README's tour, in their order, for one shell. */
function tour(): string {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const [, section = ''] = text.split('## Tutorial\n')
  const [own = ''] = section.split('\n## ')
  const blocks = Array.from(own.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block = '']) => block)
  return ['set -euo pipefail', ...blocks]
    .join('\necho "=== next"\n')
    .replaceAll('npx settlewire', 'settlewire')
}

it('the commands of the README run unchanged, one after the other, in one shell', async () => {
  const path = [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH]
  const place = { DATABASE_URL: database.url, SETTLEWIRE_HOME: join(folder.path, '.settlewire') }
  const { stdout } = await promisify(execFile)('bash', ['-c', tour()], {
    cwd: folder.path,
    // Without these the operator's commands use the data directory in the project.
    env: { ...process.env, ...place, PATH: path.join(':') },
    timeout: 120_000,
  })
  const parts = stdout.split('=== next\n')
  const [, merchant = '', wallet = '', lab = '', terminal = '', second = ''] = parts
  expect(merchant).toContain('"checkoutUrl"')
  expect(merchant).toMatch(/ 1 {2}20.+ created +awaiting/)
  expect(merchant).toContain('"status":"succeeded"')
  expect(wallet).toMatch(/"result":"0x[0-9a-f]{64}"/)
  expect(lab.trim().split('\n').at(-1)).toBe('investigation_required')
  // The watch begins at the payment's present status, which may already be its last.
  expect(terminal).toMatch(
    /\d {2}20.+ finalized +succeeded +150.00\/150.00 USDC.+ finality final$/m,
  )
  const [, address = 'none'] = /^Address 0 +(0x\w{40})$/m.exec(second) ?? []
  expect(second).toMatch(/^Name +Second Shop$/m)
  expect(second).toContain('its server')
  expect(second.trim().split('\n').at(-1)).toBe(address)
  expect(stdout).not.toContain('urn:settlewire:problem')
}, 150_000)

it('every command of the README can be pasted: none has a placeholder', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = Array.from(text.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block = '']) => block)
  expect(blocks.length).toBeGreaterThan(4)
  for (const block of blocks) expect(block).not.toMatch(/<[a-z ]+>|…|your-/)
})

it('the xpub of the README belongs to a public test phrase, and the README warns of it', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const [, xpub = ''] = /^XPUB=(\S+)$/m.exec(text) ?? []
  const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
  expect(receivingKey(xpub, { livemode: false })).toBe(xpubOf(words))
  expect(text).toContain('never use it with money')
})
