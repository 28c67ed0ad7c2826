/** Rules about how files look: their size, their names, what they are made of. */
import {
  at,
  type Comment,
  isNode,
  isTest,
  type Node,
  nameOf,
  type Source,
  type Violation,
  walk,
} from './source.ts'

type Rule = (source: Source) => Violation[]

const linesMax = 400
const parametersMax = 3

/** A file is one noun or one verb. */
export const sizeRule: Rule = (source) => {
  const lines = source.text.split('\n').length - 1
  return lines <= linesMax ? [] : [at(source, 0, `has ${lines} lines, more than ${linesMax}`)]
}

const emptyWords = new Set([
  ...['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'shared'],
  ...['manager', 'service', 'handler', 'processor'],
])

/** Names that say nothing attract everything. */
export function nameViolations(paths: readonly string[]): Violation[] {
  return paths.flatMap((path) => {
    const words = path.split('/').flatMap((part) => part.split(/[-._]/))
    const empty = words.find((word) => emptyWords.has(word.toLowerCase()))
    if (empty !== undefined) return [{ path, line: 1, says: `“${empty}” is no name` }]
    if (/(^|\/)index\.\w+$/.test(path)) return [{ path, line: 1, says: '“index” is no name' }]
    const isKebab = /^[a-z0-9.-]+$/.test(path.split('/').at(-1) ?? '')
    const isCode = /\.(tsx?|mjs|css)$/.test(path)
    return isCode && !isKebab ? [{ path, line: 1, says: 'is not in kebab-case' }] : []
  })
}

/** A barrel hides who knows whom. */
export const barrelRule: Rule = (source) => {
  const body = bodyOf(source)
  const passedOn = body.filter((node) => 'source' in node && isNode(node.source))
  const exportsOnly =
    body.length > 0 &&
    body.every((node) => /^Export/.test(node.type) && isNode(node.source ?? null))
  const stars = passedOn.filter((node) => node.type === 'ExportAllDeclaration')
  if (stars[0]) return [at(source, stars[0].start, 'passes on everything of another file')]
  return exportsOnly ? [at(source, 0, 'only passes on what other files export')] : []
}

const syntax: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'an enum: use a list and `as const`',
  TSAnyKeyword: '`any`: use `unknown` and look',
  TSParameterProperty: 'a parameter property',
  Decorator: 'a decorator',
  ExportDefaultDeclaration: 'a default export: name it',
  TSExportAssignment: 'a default export: name it',
}

/** What the language has and we do not use. */
export const syntaxRule: Rule = (source) => {
  if (/\.config(\.example)?\.ts$/.test(source.path)) return []
  return [...walk(source.program)].flatMap((node) => {
    if (node.type === 'TSModuleDeclaration' && node.kind === 'namespace') {
      return [at(source, node.start, 'a namespace: use a file')]
    }
    const says = syntax[node.type]
    if (says === undefined || isExcused(source, node)) return []
    return [at(source, node.start, says)]
  })
}

/** Biome's own mark, with its reason, on the line before; in tests only. */
const isExcused = ({ path, comments, text }: Source, node: Node): boolean =>
  isTest(path) &&
  comments.some(
    ({ value, end }) =>
      /biome-ignore .+: .+/.test(value) &&
      end < node.start &&
      !text.slice(end, node.start).includes('\n\n') &&
      node.start - end < 200,
  )

/** The signature is the port's: `feed(merchantId, livemode, after, limit)`. */
const excusedParameters = /^server\/src\/store\/history\/events\.ts$/

/** More than three wants a name for each: an options object. */
export const parametersRule: Rule = (source) =>
  isTest(source.path) || excusedParameters.test(source.path)
    ? []
    : [...walk(source.program)]
        .filter((node) => /^(Arrow)?Function/.test(node.type))
        .filter((node) => Array.isArray(node.params) && node.params.length > parametersMax)
        .map((node) =>
          at(source, node.start, `a function of more than ${parametersMax} parameters`),
        )

const owed = /\b(TODO|FIXME|XXX|HACK)\b/
const owned = /\bTODO\(@?[\w.-]+\): \S.{9,}/

/** What is left to do has an owner and a reason, or an issue and no comment. */
export const owedRule: Rule = (source) =>
  source.comments
    .filter(({ value }: Comment) => owed.test(value) && !owned.test(value))
    .map(({ start }) => at(source, start, 'a TODO without owner and reason: TODO(name): why'))

const testWords = new Set(['it', 'test', 'describe', 'suite', 'bench'])
const leftOut = new Set(['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails', 'fixme'])
const oldWords = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe'])

/** A test runs, always, or it is no test. */
export const skippedRule: Rule = (source) =>
  [...walk(source.program)]
    .filter(
      (node) =>
        (node.type === 'MemberExpression' &&
          leftOut.has(nameOf(node.property) ?? '') &&
          testWords.has(firstName(node))) ||
        (node.type === 'CallExpression' && oldWords.has(nameOf(node.callee) ?? '')),
    )
    .map((node) => at(source, node.start, 'a test that is left out, or leaves others out'))

/** The name that a chain such as `it.each(…).only` begins with. */
function firstName(node: Node): string {
  const inner = node.type === 'CallExpression' ? node.callee : node.object
  return isNode(inner) && inner.type !== 'Identifier' ? firstName(inner) : (nameOf(inner) ?? '')
}

const documented = /^(core\/src\/|server\/src\/ports\/)/

/** Every exported name of the rules and the ports has its sentence. */
export const sentenceRule: Rule = (source) => {
  if (!documented.test(source.path) || isTest(source.path)) return []
  return bodyOf(source)
    .filter((node) => node.type === 'ExportNamedDeclaration' && isNode(node.declaration))
    .filter((node) => !hasSentence(source, node))
    .map((node) => at(source, node.start, 'exports a name without a sentence about it'))
}

function hasSentence({ comments, text }: Source, node: Node): boolean {
  // `type Status = (typeof statuses)[number]`: what there is to say stands on the list above it.
  if (/^export type \w+ =\s+[^{]*\btypeof\b/.test(text.slice(node.start, node.end))) return true
  const before = comments.filter(({ end }) => end <= node.start).at(-1)
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return false
  const isNext = text.slice(before.end, node.start).trim() === ''
  return isNext && /[A-Za-z`].{8,}[.!?:)]/s.test(before.value)
}

const bodyOf = ({ program }: Source): Node[] =>
  Array.isArray(program.body) ? program.body.filter(isNode) : []
