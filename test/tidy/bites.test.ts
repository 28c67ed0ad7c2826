import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandViolations, linkViolations } from './documents.ts'
import { cycleViolations, layerViolations } from './layers.ts'
import {
  barrelRule,
  nameViolations,
  owedRule,
  parametersRule,
  sentenceRule,
  sizeRule,
  skippedRule,
  syntaxRule,
} from './shape.ts'
import { parseSource, root, type Source, type Violation } from './source.ts'
import {
  plainSqlViolations,
  plainTextViolations,
  plainWordsRule,
  typeNameViolations,
} from './words.ts'
import { clockRule, environmentRule, sqlRule } from './world.ts'

/** A rule, a place, what is planted there, and whether the rule must bite. */
type Case = readonly [string, (source: Source) => Violation[], string, string, boolean]

const engine = 'server/src/engine/planted.ts'
const core = 'core/src/planted.ts'
const test = 'server/src/engine/planted.test.ts'
const layers = (source: Source) => layerViolations([source])

const cases: readonly Case[] = [
  ['core importing Node', layers, core, `import 'node:fs'`, true],
  ['core importing a package', layers, core, `import { z } from 'zod'`, true],
  ['core importing the server', layers, core, `import '../../server/src/ports/chain.ts'`, true],
  ['core importing core', layers, core, `import './amount.ts'`, false],
  ['the engine importing the store', layers, engine, `import '../store/open.ts'`, true],
  [
    'the engine importing a type of http',
    layers,
    engine,
    `import type { A } from '../http/a.ts'`,
    true,
  ],
  ['the engine importing at run time', layers, engine, `await import('../store/open.ts')`, true],
  ['the engine passing on an adapter', layers, engine, `export { a } from '../chain/a.ts'`, true],
  ['the engine importing Node', layers, engine, `import 'node:crypto'`, true],
  ['the engine importing the clock', layers, engine, `import '../clock.ts'`, true],
  ['the engine importing core', layers, engine, `import '@settlewire/core/payment/fold'`, false],
  ['the engine importing ports', layers, engine, `import '../ports/clock.ts'`, false],
  [
    'a sibling importing a sibling',
    layers,
    'server/src/store/a.ts',
    `import '../chain/b.ts'`,
    true,
  ],
  [
    'a folder of chain/evm importing one that stands on it',
    layers,
    'server/src/chain/evm/node/a.ts',
    `import '../walk/b.ts'`,
    true,
  ],
  [
    'a folder of chain/evm importing one that it stands on',
    layers,
    'server/src/chain/evm/walk/a.ts',
    `import '../node/b.ts'`,
    false,
  ],
  ['the sandbox importing http', layers, 'server/src/sandbox/a.ts', `import '../http/a.ts'`, true],
  ['http importing an adapter', layers, 'server/src/http/a.ts', `import '../store/a.ts'`, true],
  ['http importing the engine', layers, 'server/src/http/a.ts', `import '../engine/a.ts'`, false],
  ['main importing an adapter', layers, 'server/src/main.ts', `import './store/a.ts'`, false],
  [
    'the web importing the server',
    layers,
    'web/src/a.ts',
    `import '@settlewire/server/ports'`,
    true,
  ],
  ['the client importing Node', layers, 'client/src/a.ts', `import 'node:http'`, true],
  ['another workspace by path', layers, 'web/src/a.ts', `import '../../core/src/id.ts'`, true],
  ['code importing a test', layers, engine, `import './hub.test.ts'`, true],
  ['a file in a new folder', layers, 'server/src/misplaced/a.ts', '', true],

  ['more than 400 lines', sizeRule, core, '\n'.repeat(401), true],
  ['400 lines', sizeRule, core, '\n'.repeat(400), false],

  ['four parameters', parametersRule, core, 'const f = (a, b, c, d) => 1', true],
  ['three parameters', parametersRule, core, 'function f(a, b, c) {}', false],

  ['process.env', environmentRule, engine, 'const a = process.env.HOME', true],
  ['env of node:process', environmentRule, engine, `import { env } from 'node:process'`, true],
  ['process.env in config', environmentRule, 'server/src/config.ts', 'process.env', false],

  ['Date.now', clockRule, engine, 'Date.now()', true],
  ['Date.now, passed on', clockRule, engine, 'const now = Date.now', true],
  ['a date of now', clockRule, engine, 'const a = new Date()', true],
  ['a date of something', clockRule, engine, 'const a = new Date(at)', false],
  ['Math.random', clockRule, core, 'Math.random()', true],
  ['setTimeout', clockRule, 'client/src/watch.ts', 'setTimeout(f, 1)', true],
  ['setInterval', clockRule, 'web/src/checkout/a.tsx', 'setInterval(f, 1)', true],
  ['performance.now', clockRule, engine, 'performance.now()', true],
  [
    'timers by import',
    clockRule,
    engine,
    `import { setTimeout as s } from 'node:timers/promises'`,
    true,
  ],
  ['setTimeout of a socket', clockRule, engine, 'socket.setTimeout(0)', false],
  ['the clock itself', clockRule, 'server/src/clock.ts', 'Date.now()', false],
  ['a word in a comment', clockRule, engine, '// Date.now() is not asked', false],

  ['a query', sqlRule, engine, 'const a = `select id\nfrom payment where id = $1`', true],
  ['an insert', sqlRule, 'server/src/http/a.ts', `f('insert into payment values (1)')`, true],
  ['the driver', sqlRule, engine, `import { Pool } from 'pg'`, true],
  ['a query in the store', sqlRule, 'server/src/store/a.ts', 'const a = `select 1 from b`', false],
  [
    'words that sound like a query',
    sqlRule,
    engine,
    `say('Select one. You may update it or delete it later.')`,
    false,
  ],

  ['a file that only passes on', barrelRule, core, `export { a } from './a.ts'`, true],
  ['passing on everything', barrelRule, core, `const a = 1\nexport * from './a.ts'`, true],
  ['a file with something of its own', barrelRule, core, `export { a } from './a.ts'\nf()`, false],

  ['an enum', syntaxRule, core, 'enum A { B }', true],
  ['a const enum', syntaxRule, core, 'export const enum A { B }', true],
  ['a namespace', syntaxRule, core, 'namespace A { export const b = 1 }', true],
  ['any', syntaxRule, core, 'const a = b as any', true],
  [
    'any, excused outside of tests',
    syntaxRule,
    core,
    '// biome-ignore lint/a: why\nlet a: any',
    true,
  ],
  ['any, excused in a test', syntaxRule, test, '// biome-ignore lint/a: why\nlet a: any', false],
  ['a default export', syntaxRule, core, 'export default 1', true],
  ['a default export of a tool', syntaxRule, 'web/vite.config.ts', 'export default 1', false],
  ['a decorator', syntaxRule, core, '@a class B {}', true],
  ['a module that is declared', syntaxRule, test, `declare module 'a' { interface B {} }`, false],

  ['a bare TODO', owedRule, core, '// TODO: later', true],
  ['a FIXME', owedRule, core, '/* FIXME(ada): this is wrong somehow */', true],
  [
    'a TODO with owner and reason',
    owedRule,
    core,
    '// TODO(ada): needs the second provider',
    false,
  ],

  ['it.skip', skippedRule, test, `it.skip('a', f)`, true],
  ['describe.only', skippedRule, test, `describe.only('a', f)`, true],
  ['it.each.only', skippedRule, test, `it.only.each([1])('a', f)`, true],
  ['it.todo', skippedRule, test, `it.todo('a')`, true],
  ['it.skipIf', skippedRule, test, `it.skipIf(process.env.CI)('a', f)`, true],
  ['xit', skippedRule, test, `xit('a', f)`, true],
  ['something else that skips', skippedRule, test, 'cursor.skip(1)', false],

  ['an exported name without words', sentenceRule, core, 'export const a = 1', true],
  ['words that are no sentence', sentenceRule, core, '/** a */\nexport const a = 1', true],
  [
    'a comment of another kind',
    sentenceRule,
    core,
    '// Says what it is.\nexport const a = 1',
    true,
  ],
  [
    'words about something else',
    sentenceRule,
    core,
    '/** Is one thing. */\nf()\nexport const a = 1',
    true,
  ],
  ['a sentence', sentenceRule, core, '/** The smallest amount. */\nexport const a = 1', false],
  ['a type read off a list', sentenceRule, core, 'export type A = (typeof list)[number]', false],

  ['a comment about whoever', plainWordsRule, core, '// Whoever waits is let go.', true],
  ['a comment about somebody', plainWordsRule, core, '/** Somebody reads it. */', true],
  ['a test name about what was told', plainWordsRule, test, `it('repeats what was told', f)`, true],
  ['a message that there is none', plainWordsRule, engine, 'fail(`The url is none.`)', true],
  ['a page that nobody reads', plainWordsRule, 'web/src/a.tsx', '<p>Nobody pays this.</p>', true],
  ['a habit across two lines', plainWordsRule, core, '/** There is no\n * such thing. */', true],
  ['plain words', plainWordsRule, core, '// The client closed its side: treat it as gone.', false],
  ['a name that holds a habit', plainWordsRule, core, 'const isNobody = a.heard', false],
  ['a text without a blank', plainWordsRule, core, `const kind = 'nobody'`, false],
]

const lines = (violations: readonly Violation[]): string[] => violations.map(({ says }) => says)

describe('a rule', () => {
  it.each(cases.filter(([, , , , bites]) => bites))('finds %s', (_, rule, path, text) => {
    expect(lines(rule(parseSource(path, text)))).not.toEqual([])
  })

  it.each(cases.filter(([, , , , bites]) => !bites))('lets pass %s', (_, rule, path, text) => {
    expect(lines(rule(parseSource(path, text)))).toEqual([])
  })

  it('finds circles, through types and workspaces too', () => {
    const circle = [
      parseSource('core/src/a.ts', `import type { B } from './b.ts'`),
      parseSource('core/src/b.ts', `import { c } from '@settlewire/core/c'`),
      parseSource('core/src/c.ts', `import './a.ts'`),
    ]
    expect(lines(cycleViolations(circle))).toEqual([
      'imports itself: core/src/a.ts → core/src/b.ts → core/src/c.ts → core/src/a.ts',
    ])
    expect(cycleViolations(circle.slice(0, 2))).toEqual([])
  })

  it.each([
    'server/src/utils/a.ts',
    'server/src/payment-helpers.ts',
    'server/src/payment-service.ts',
    'web/src/common/a.css',
    'core/src/index.ts',
    'core/src/eventManager.ts',
  ])('refuses the name %s', (path) => {
    expect(nameViolations([path])).not.toEqual([])
  })

  it.each([
    'server/src/engine/watch/watch-index.ts',
    'server/migrations/0001_merchants.sql',
    'server/src/sandbox/contracts/TestUSDC.sol',
  ])('takes the name %s', (path) => {
    expect(nameViolations([path])).toEqual([])
  })

  it.each([
    ['[a](docs/nowhere.md)', 1],
    ['[a](#no-such-heading)', 1],
    ['# The way of a fact\n[a](#the-way-of-a-fact) [b](package.json) [c](https://x.example)', 0],
    ['```\n[a](docs/nowhere.md)\n```', 0],
  ])('reads the links of %j', (text, violations) => {
    expect(linkViolations({ path: 'README.md', text })).toHaveLength(violations)
  })

  it('finds a habit in a document, with its line, and none in the style that lists them', () => {
    const text = '# A page\n\nA node that hears nothing waits.'
    expect(plainTextViolations({ path: 'docs/a.md', text })).toEqual([
      { path: 'docs/a.md', line: 3, says: expect.stringContaining('“hears”') },
    ])
    expect(plainTextViolations({ path: 'STYLE.md', text })).toEqual([])
  })

  it.each([
    ['a comment', '-- Whoever appends locks this row.', 1],
    ['a comment behind code', `select '--', a -- Nobody reads it.`, 1],
    ['a comment of two lines', 'select 1;\n  -- Null where there is no\n  -- such block.', 2],
  ])('finds a habit in %s of SQL, with the line where the comment starts', (_, text, line) => {
    const path = 'server/migrations/0001_planted.sql'
    expect(plainSqlViolations({ path, text })).toMatchObject([{ path, line }])
  })

  it.each([
    'create table nobody (heard text);',
    `select 'nobody -- whoever';`,
    '-- There is no\nselect 1;\n-- such thing.',
  ])('finds no habit in the SQL %j', (text) => {
    expect(plainSqlViolations({ path: 'server/migrations/0001_planted.sql', text })).toEqual([])
  })

  it('finds a type name that two files of the program declare, and none in tests', () => {
    const declared = (path: string, text: string) => parseSource(path, text)
    const first = declared('core/src/a.ts', 'export interface Held {}')
    const second = declared('server/src/engine/b.ts', 'type Held = string')
    expect(lines(typeNameViolations([first, second]))).toEqual([
      '“Held” is the name of another type in core/src/a.ts',
    ])
    const others = [
      declared('server/src/engine/b.test.ts', 'type Held = string'),
      declared('server/src/engine/c.ts', 'interface Props {}'),
      declared('web/src/d.tsx', 'interface Props {}'),
    ]
    expect(typeNameViolations([first, ...others])).toEqual([])
  })

  it('finds a command that is none', () => {
    const document = { path: 'README.md', text: 'Run `npm run fly`, then `npm test`.' }
    const found = commandViolations(document, new Set(['test']))
    expect(lines(found)).toEqual(['names npm script fly, which is none'])
  })
})

describe('the linter', () => {
  const planted: Readonly<Record<string, string>> = {
    noExplicitAny: 'export const a = (b: any) => b\n',
    noEnum: 'export enum A {\n  B,\n}\n',
    noDefaultExport: 'export default 1\n',
    noNonNullAssertion: 'export const a = (b?: string) => b!.length\n',
    noConsole: 'console.log(1)\n',
    noExcessiveLinesPerFunction: `export const a = () => {\n${'  f()\n'.repeat(75)}}\n`,
    noEmptyBlockStatements: 'try {\n  f()\n} catch {}\n',
    none: '/** One more. */\nexport const more = (a: number): number => a + 1\n',
  }
  const directory = mkdtempSync(join(tmpdir(), 'settlewire-lint-'))
  let found = ''

  beforeAll(() => {
    const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'))
    const { vcs: _, $schema: __, ...rules } = config
    writeFileSync(join(directory, 'biome.json'), JSON.stringify(rules))
    const files = join(directory, 'server/src/engine')
    mkdirSync(files, { recursive: true })
    for (const [rule, text] of Object.entries(planted))
      writeFileSync(join(files, `${rule}.ts`), text)
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    const args = [biome, 'lint', '--colors=off', '--max-diagnostics=none', 'server']
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: directory,
      encoding: 'utf8',
    })
    found = stdout + stderr
  })

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it.each(Object.keys(planted).filter((rule) => rule !== 'none'))('finds %s', (rule) => {
    expect(found).toMatch(new RegExp(`engine/${rule}\\.ts\\S* lint/\\w+/${rule}`))
  })

  it('has nothing against code as it should be', () => {
    expect(found).not.toContain('none.ts')
  })
})
