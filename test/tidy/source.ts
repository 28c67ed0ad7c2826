import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'vite'

/** Any part of a parsed file. Only `type` and the places are common to all. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export interface Comment {
  readonly type: 'Block' | 'Line'
  readonly value: string
  readonly start: number
  readonly end: number
}

/** One file of the project, parsed. Paths are relative to its root, with slashes. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly program: Node
  readonly comments: readonly Comment[]
  /** What it imports or re-exports, as written. */
  readonly requests: readonly string[]
}

/** Something that breaks a rule. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly says: string
}

export const root = join(import.meta.dirname, '../..')

const left = new Set(['node_modules', 'dist', 'coverage', '.git', '.toolchain', '.settlewire'])
const code = /\.(ts|tsx|mts|mjs|js)$/

/** Every path under the root that is ours, sorted. */
export function listFiles(under = ''): string[] {
  return readdirSync(join(root, under), { withFileTypes: true })
    .filter((entry) => !left.has(entry.name) && !entry.name.startsWith('.artifacts'))
    .map((entry) => ({ entry, path: under === '' ? entry.name : `${under}/${entry.name}` }))
    .flatMap(({ entry, path }) => (entry.isDirectory() ? listFiles(path) : path))
    .sort()
}

/** Every file of code, parsed. */
export const readSources = (): Source[] =>
  listFiles()
    .filter((path) => code.test(path))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))

/** Parses one file. Throws when it is not code. */
export function parseSource(path: string, text: string): Source {
  const { program, module, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports
      .flatMap(({ entries }) => entries)
      .flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ...module.dynamicImports.map(({ moduleRequest }) =>
      text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    ),
  ]
  // The parser types every node on its own; the rules look at few fields and check them.
  return { path, text, program: program as unknown as Node, comments, requests }
}

/** Every node of a file, parents before children. */
export function* walk(node: Node): Generator<Node> {
  yield node
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) yield* walk(child)
  }
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** The name of an identifier, or null. */
export const nameOf = (node: unknown): string | null =>
  isNode(node) && node.type === 'Identifier' && typeof node.name === 'string' ? node.name : null

/** A violation at a place in a file. */
export const at = (source: Source, start: number, says: string): Violation => ({
  path: source.path,
  line: source.text.slice(0, start).split('\n').length,
  says,
})

/** Code that only tests and benches run. */
export const isTest = (path: string): boolean =>
  /\.test\.tsx?$/.test(path) ||
  /(^|\/)contract(-[a-z]+)?\.ts$/.test(path) ||
  /^(test|bench)\//.test(path)
