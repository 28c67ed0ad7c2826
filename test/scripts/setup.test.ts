import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { foldersOf, nodeBinary } from '../../scripts/packages.mjs'
import { Progress } from '../../scripts/progress.mjs'

const root = join(import.meta.dirname, '../..')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const linux = { platform: 'linux', arch: 'x64', libc: 'glibc' }
const tools = ['vitest', 'typescript', '@biomejs/biome', 'playwright-core', '@sparticuz/chromium']
  .concat(['axe-core', 'solc', 'fast-check', 'viem', 'react-dom'])
  .map((name) => `node_modules/${name}`)

describe('the set-up', () => {
  it('installs no browser, compiler, linter or test runner for a start', () => {
    const folders = foldersOf(lock, { ...linux, tools: false })
    expect(folders).toContain('node_modules/fastify')
    expect(folders).toContain('node_modules/vite')
    expect(folders.filter((folder) => tools.includes(folder))).toEqual([])
  })

  it('installs browser, compiler, linter and test runner for tests and checks', () => {
    expect(foldersOf(lock, { ...linux, tools: true })).toEqual(expect.arrayContaining(tools))
  })

  it('installs the pinned Node for this platform only', () => {
    const nodes = foldersOf(lock, { ...linux, tools: false }).filter((folder) =>
      /node_modules\/node-(linux|win|darwin)/.test(folder),
    )
    expect(nodes).toEqual([`node_modules/${nodeBinary(linux).name}`])
  })

  it('pins the same Node for every platform', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(new Set(Object.values(optionalDependencies)).size).toBe(1)
  })
})

describe('the progress of the set-up', () => {
  const told = (isTTY: boolean, seconds: readonly number[]) => {
    let text = ''
    let now = 0
    const progress = new Progress(
      {
        isTTY,
        write(part: string) {
          text += part
        },
      },
      () => now,
    )
    for (const second of seconds) {
      now = second * 1_000
      progress.say(`${second} of 30`)
    }
    progress.end()
    return text
  }

  it('is a new line every ten seconds when the output is not a terminal', () => {
    expect(told(false, [1, 5, 10, 12, 21])).toBe('  10 of 30, 10 s\n  21 of 30, 21 s\n')
  })

  it('is one line that is updated each second on a terminal and cleared at the end', () => {
    const text = told(true, [1, 2])
    expect(text).toContain('  1 of 30, 1 s')
    expect(text).toContain('  2 of 30, 2 s')
    expect(text).not.toContain('\n')
    expect(text.endsWith('\r\u001b[2K')).toBe(true)
  })
})
