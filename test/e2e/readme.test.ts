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

const blocksOf = (text: string): readonly string[] =>
  Array.from(text.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block = '']) => block)

/** The commands of one step of the README's tour. Step 2 has two blocks. */
function stepOf(number: 2 | 3 | 4 | 5): readonly string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const [, section = ''] = text.split('## Tutorial\n')
  const [own = ''] = section.split('\n## ')
  const step = own.split(/^\*\*(?=\d\. )/m).find((part) => part.startsWith(`${number}. `))
  return blocksOf(step ?? '')
}

const scriptOf = (...blocks: readonly string[]): string =>
  blocks.join('\necho "=== next"\n').replaceAll('npx settlewire', 'settlewire')

async function run(script: string, timeout = 120_000): Promise<readonly string[]> {
  const path = [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH]
  const place = { DATABASE_URL: database.url, SETTLEWIRE_HOME: join(folder.path, '.settlewire') }
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: folder.path,
    // Without these the operator's commands use the data directory in the project.
    env: { ...process.env, ...place, PATH: path.join(':') },
    timeout,
  })
  expect(stdout).not.toContain('urn:settlewire:problem')
  return stdout.split('=== next\n')
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
const isFollowed = /\d {2}20.+ finalized +succeeded +150.00\/150.00 USDC.+ finality final$/m

it('the commands of the README run unchanged in one shell, and steps 3 to 5 again in another order', async () => {
  const steps = [...stepOf(2), ...stepOf(3), ...stepOf(4), ...stepOf(5)]
  const again = [...stepOf(4), ...stepOf(3), ...stepOf(5)]
  const parts = await run(scriptOf('set -euo pipefail', ...steps, ...again))
  const [, merchant = '', wallet = '', lab = '', terminal = '', second = '', ...rest] = parts
  expect(merchant).toContain('"checkoutUrl"')
  expect(merchant).toMatch(/ 1 {2}20.+ created +awaiting/)
  expect(merchant).toContain('"status":"succeeded"')
  expect(wallet).toMatch(/"result":"0x[0-9a-f]{64}"/)
  expect(lastLine(lab)).toBe('investigation_required')
  // The watch begins at the payment's present status, which may already be its last.
  expect(terminal).toMatch(isFollowed)
  const addresses = Array.from(second.matchAll(/^Address \d +(0x\w{40})$/gm), ([, one]) => one)
  expect(second).toMatch(/^Name +Second Shop$/m)
  expect(second).toMatch(/ first +secret /)
  expect(lastLine(second)).toBe(addresses[0])

  const [terminalAgain = '', labAgain = '', secondAgain = ''] = rest
  expect(terminalAgain).toMatch(isFollowed)
  expect(lastLine(labAgain)).toBe('investigation_required')
  expect(secondAgain).toContain('The same wallet is registered for mer_')
  expect(lastLine(secondAgain)).toBe(addresses[1])
}, 150_000)

it('step 3 of the README ends with a clear sentence in a terminal without step 2', async () => {
  const [output = ''] = await run(`${scriptOf(...stepOf(3))}\ntrue`, 10_000)
  expect(output).toContain('Is the server running? Was step 2 run in this terminal?')
}, 15_000)

it('step 3 of the README ends with a clear sentence while the server is stopped', async () => {
  const [, define = ''] = /^([\s\S]*?)\n\n/.exec(stepOf(2)[0] ?? '') ?? []
  const stopped = 'URL=http://127.0.0.1:9'
  const parts = await run(`${scriptOf(define, stopped, ...stepOf(3))}\ntrue`, 10_000)
  expect(parts.at(-1)).toContain('Is the server running? Was step 2 run in this terminal?')
}, 15_000)

it('every command of the README can be pasted: none has a placeholder', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = blocksOf(text)
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

/** Commands without their quoted parts. */
const unquoted = (text: string): string => text.replace(/'[^']*'|"(?:\\.|[^"\\])*"/g, '""')

it('no command of the README has an unquoted [, ? or *, at which zsh fails with "no matches found"', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const inText = Array.from(
    text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`((?:ask|create|field|npx|npm|curl) [^`]+)`/g),
    ([, command = '']) => command,
  )
  expect(inText.length).toBeGreaterThan(4)
  for (const command of [...blocksOf(text), ...inText]) {
    expect(unquoted(command)).not.toMatch(/[[?*]/)
  }
})
