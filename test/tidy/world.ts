/** Rules about who may touch the world: the environment, time and chance, the database. */
import { at, isTest, type Node, nameOf, type Source, type Violation, walk } from './source.ts'

type Rule = (source: Source) => Violation[]

/** Only these ask the environment; everyone else is told. */
const readsEnvironment = /^(server\/src\/config\.ts|cli\/src\/settings\.ts|(scripts|bench)\/.*)$/

/** The environment is read in one place per program. */
export const environmentRule: Rule = (source) => {
  if (isTest(source.path) || readsEnvironment.test(source.path)) return []
  const says = 'reads the environment: only config.ts does'
  return [...walk(source.program)]
    .filter(
      (node) => isMember(node, 'process', 'env') || importsName(node, /^(node:)?process$/, 'env'),
    )
    .map((node) => at(source, node.start, says))
}

/** Where time and chance come from, per workspace. */
const clocks =
  /^((server\/src\/clock|client\/src\/clock|web\/src\/checkout\/hooks)\.ts|server\/src\/sandbox\/lab\/lab\.mjs)$/
const keepsTime = /^(core|server|client|cli|web)\/src\//

const clockMembers = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ['process', 'hrtime'],
] as const
const clockCalls = new Set(['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'])

/** Time and chance are arguments, so that every test can hold them in its hand. */
export const clockRule: Rule = (source) => {
  const { path } = source
  if (isTest(path) || clocks.test(path) || !keepsTime.test(path)) return []
  return [...walk(source.program)]
    .filter(
      (node) =>
        clockMembers.some(([object, property]) => isMember(node, object, property)) ||
        (node.type === 'CallExpression' && clockCalls.has(nameOf(node.callee) ?? '')) ||
        (node.type === 'NewExpression' &&
          nameOf(node.callee) === 'Date' &&
          isEmpty(node.arguments)) ||
        importsName(node, /^(node:)?timers/, null),
    )
    .map((node) => at(source, node.start, 'reads time or chance: only clock.ts does'))
}

const knowsSql = /^server\/src\/(store\/|backplane\/postgres\.ts$)/
const sql =
  /\b(select\s[\s\S]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|(create|alter|drop)\s+(table|index|schema|role)\s)/i

/** SQL stays with those who know the tables. */
export const sqlRule: Rule = (source) => {
  const { path } = source
  if (!path.startsWith('server/src/') || isTest(path) || knowsSql.test(path)) return []
  const texts = [...walk(source.program)].filter((node) => sql.test(textOf(node)))
  const driver = source.requests.includes('pg') ? [0] : []
  return [...driver, ...texts.map(({ start }) => start)].map((start) =>
    at(source, start, 'speaks SQL: only store/ does'),
  )
}

function textOf(node: Node): string {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : ''
  if (node.type !== 'TemplateElement') return ''
  const { value } = node
  return typeof value === 'object' && value !== null && 'raw' in value ? String(value.raw) : ''
}

const isMember = (node: Node, object: string, property: string): boolean =>
  node.type === 'MemberExpression' &&
  nameOf(node.object) === object &&
  nameOf(node.property) === property

/** Whether a node imports a name, or anything (`null`), from a module. */
function importsName(node: Node, module: RegExp, name: string | null): boolean {
  if (node.type !== 'ImportDeclaration') return false
  const { source, specifiers } = node as Node & { source: Node; specifiers: Node[] } // by its type
  if (!module.test(String(source.value))) return false
  return name === null || specifiers.some((specifier) => nameOf(specifier.imported) === name)
}

const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0
