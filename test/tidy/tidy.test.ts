import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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
import { isTest, listFiles, readSources, root, type Source, type Violation } from './source.ts'
import {
  plainSqlViolations,
  plainTextViolations,
  plainWordsRule,
  typeNameViolations,
} from './words.ts'
import { clockRule, environmentRule, sqlRule } from './world.ts'

const files = listFiles()
const sources = readSources()
const textsOf = (ending: string) =>
  files
    .filter((path) => path.endsWith(ending))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const documents = textsOf('.md')

const lines = (violations: readonly Violation[]): string[] =>
  violations.map(({ path, line, says }) => `${path}:${line} ${says}`)

describe('the project', () => {
  it('is looked at as a whole', () => {
    const seen = (start: string) => sources.some(({ path }) => path.startsWith(start))
    for (const start of [
      'core/src',
      'server/src/engine',
      'client/src',
      'web/src',
      'scripts',
      'test',
    ])
      expect(seen(start), start).toBe(true)
    expect(documents.length).toBeGreaterThan(5)
  })

  it('keeps its layers: nothing points back, and siblings never meet', () => {
    expect(lines(layerViolations(sources))).toEqual([])
  })

  it('has no circles of imports', () => {
    expect(lines(cycleViolations(sources))).toEqual([])
  })

  it('gives every file and folder a name that says something', () => {
    expect(lines(nameViolations(files))).toEqual([])
  })

  it.each([
    ['no file of more than 400 lines', sizeRule],
    ['no function of more than 3 parameters', parametersRule],
    ['one reader of the environment per program', environmentRule],
    ['one reader of time and chance per program', clockRule],
    ['SQL in the store alone', sqlRule],
    ['no barrels', barrelRule],
    ['no enums, namespaces, `any`, decorators or default exports', syntaxRule],
    ['nothing to do without an owner and a reason', owedRule],
    ['no test that is left out', skippedRule],
    ['a sentence about every exported name of core and ports', sentenceRule],
    ['plain words in comments, messages, test names and pages', plainWordsRule],
  ] satisfies [string, (source: Source) => Violation[]][])('has %s', (_, rule) => {
    expect(lines(sources.flatMap(rule))).toEqual([])
  })

  it('has files that are short as a rule: half of them within 150 lines', () => {
    const lengths = sources
      .filter(({ path }) => /\/src\//.test(path) && !isTest(path))
      .map(({ text }) => text.split('\n').length - 1)
      .sort((a, b) => a - b)
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(150)
  })

  it('has one meaning for each name of a type', () => {
    expect(lines(typeNameViolations(sources))).toEqual([])
  })

  it('has documents in plain words', () => {
    const written = documents.filter(({ path }) => !path.startsWith('docs/generated/'))
    expect(lines(written.flatMap(plainTextViolations))).toEqual([])
  })

  it('has comments of SQL in plain words', () => {
    const migrations = textsOf('.sql')
    expect(migrations.length).toBeGreaterThan(10)
    expect(lines(migrations.flatMap(plainSqlViolations))).toEqual([])
  })

  it('has documents whose links lead somewhere', () => {
    expect(lines(documents.flatMap(linkViolations))).toEqual([])
  })

  it('has documents that name only commands that exist', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const scripts = new Set(Object.keys(manifest.scripts))
    expect(lines(documents.flatMap((each) => commandViolations(each, scripts)))).toEqual([])
  })
})
