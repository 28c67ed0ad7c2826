import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findConfigFile, loadConfigFile } from './config-file.ts'

const root = join(import.meta.dirname, '../../..')
const defineConfigPath = join(root, 'server/src/define-config.ts')
const configFilePath = join(import.meta.dirname, 'config-file.ts')
const run = promisify(execFile)
const chains =
  "{ base: { preset: 'base', providers: [{ name: 'one', url: 'wss://node.example' }], accept: ['USDC'] } }"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'settlewire-config-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const load = (path: string) => loadConfigFile(path, () => undefined)

/** Loads in a separate process: the test runner resolves more imports than Node does. */
async function refusal(path: string): Promise<string> {
  const program = `
    const { loadConfigFile } = await import(${JSON.stringify(configFilePath)})
    await loadConfigFile(${JSON.stringify(path)}, () => undefined).then(
      () => console.log('was accepted'),
      ({ code, message }) => console.log(code + ': ' + message),
    )`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toMatch(/^invalid_config: /)
  return stdout
}

describe('the configuration file', () => {
  it('may be TypeScript with erasable types', async () => {
    const path = file(
      'settlewire.config.ts',
      `import { defineConfig, type SettlewireConfig } from ${JSON.stringify(defineConfigPath)}
       const config: SettlewireConfig = defineConfig({ chains: ${chains} })
       export default config`,
    )
    expect(await load(path)).toMatchObject([{ name: 'base', chainId: 8453 }])
  })

  it('may be JavaScript that exports a plain object', async () => {
    const path = file('settlewire.config.mjs', `export default { chains: ${chains} }`)
    expect(await load(path)).toMatchObject([{ name: 'base' }])
  })

  it('is searched in the project, or read at a given path', () => {
    expect(findConfigFile(directory, 'project')).toBeNull()
    const js = file('settlewire.config.js', '')
    expect(findConfigFile(directory, 'project')).toBe(js)
    const ts = file('settlewire.config.ts', '')
    expect(findConfigFile(directory, 'project')).toBe(ts)
    expect(findConfigFile(directory, null)).toBeNull()
    expect(findConfigFile('/', { path: js })).toBe(js)
    expect(() => findConfigFile(directory, { path: '/nowhere.ts' })).toThrow('/nowhere.ts')
  })

  it('has a valid example, with every secret from the environment', async () => {
    const asked = new Set<string>()
    const read = await loadConfigFile(join(root, 'settlewire.config.example.ts'), (name) => {
      asked.add(name)
      return name.endsWith('_KEY') ? 'key' : `wss://node.example/${name}`
    })
    expect(read.map(({ name, providers }) => [name, providers.length])).toEqual([
      ...[
        ['base', 2],
        ['ethereum', 2],
      ],
      ['harbour', 1],
    ])
    expect([...asked].sort()).toEqual(['ALCHEMY_KEY', 'BASE_NODE_URL', 'ETHEREUM_NODE_URL'])
  })

  it('outside of the project gets a hint how to import the types', async () => {
    const path = file(
      'outside.config.mjs',
      `import { defineConfig } from '@settlewire/server/define-config'
       export default defineConfig({ chains: {} })`,
    )
    expect(await refusal(path)).toContain('by its path in server/src')
  })

  it.each([
    ['has no default export', 'export const chains = {}', 'has no default export'],
    ['does not parse', 'export default {', 'syntax error'],
    ['throws', "throw new Error('s3cr3t')", 'It threw an error.'],
    ['imports a missing file', "import './nothing.mjs'", 'import is missing'],
    ['has an invalid value', 'export default {}', 'config.mjs: /chains must be an object'],
  ])('is refused with the reason if it %s', async (name, text, reason) => {
    const message = await refusal(file(`${name.replaceAll(' ', '-')}.config.mjs`, text))
    expect(message).toContain(reason)
    expect(message).not.toContain('s3cr3t')
  })
})
