/** Rules about words: habits of speech that make a reader stop, and the plain words for them. */
import {
  at,
  isNode,
  isTest,
  type Node,
  nameOf,
  type Source,
  type Violation,
  walk,
} from './source.ts'

/** What is refused, and what to write in its place. STYLE.md, 10a, has the rule and examples. */
const habits: readonly (readonly [RegExp, string])[] = [
  [/\bwho(so)?ever\b/i, 'name who acts: the client, the process, the payer'],
  [/\b(nobody|somebody|anybody)\b/i, 'name who acts: no client, a process, any payer'],
  [/\b(one|those|him|he) who\b/i, 'name who acts: the client, the process, the payer'],
  [/\bwho (asks|has|reads|comes|waits|listens|says)\b(?=[^?]*$)/i, 'name who acts'],
  [/\bwhat (is|was|were|has been|it was) (told|said|heard|asked|known)\b/i, 'name the thing'],
  [/\b(is|was|were|are|be|been|being) told\b/i, 'say sent, emitted, reported or notified'],
  [/\b(has|have|had|never|not) heard\b|\bhears?\b|\bheard of\b/i, 'say received, read or knows'],
  [/\bhop(es|ed|ing)\b/i, 'say what it does next'],
  [/\bno such\b/i, 'say unknown or missing, with the name of the thing'],
  [/\bturn(s|ed|ing)? (\w+ )?away\b/i, 'say refuses'],
  [/\bis none\b|\bare none\b|\bis not one\b|\bis no one\b/i, 'repeat the noun'],
  [/\banew\b/i, 'say again'],
  [/\bfor good\b/i, 'say permanently, or until when'],
  [/\bthe last word\b|\ban? (old )?word of\b|\bits word\b|\btheir word\b/i, 'say answer or report'],
]

interface PathAndText {
  readonly path: string
  readonly text: string
}

/** Here the habits are listed, planted and quoted. */
const excused = /^(test\/tidy\/|STYLE\.md$)/

/** Comments, messages, test names and texts of pages: a reader understands each at first reading. */
export function plainWordsRule(source: Source): Violation[] {
  if (excused.test(source.path)) return []
  const comments = source.comments.map(({ value, start }) => ({ text: value, start }))
  const texts = [...walk(source.program)].flatMap((node) => {
    const text = textOf(node)
    return text !== null && /\s/.test(text.trim()) ? [{ text, start: node.start }] : []
  })
  return [...comments, ...texts].flatMap(({ text, start }) =>
    habitsIn(text).map((says) => at(source, start, says)),
  )
}

/** The same for a document, line by line. */
export function plainTextViolations(document: PathAndText): Violation[] {
  if (excused.test(document.path)) return []
  return document.text
    .split('\n')
    .flatMap((text, index) =>
      habitsIn(text).map((says) => ({ path: document.path, line: index + 1, says })),
    )
}

/**
 * The same for the `--` comments of a file of SQL. Lines of one comment are read together, because
 * a habit may go over the end of a line. Texts of the SQL itself are skipped, as column names are.
 */
export function plainSqlViolations({ path, text }: PathAndText): Violation[] {
  const comments: { line: number; text: string }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [, code = '', comment] = sqlComment.exec(line) ?? []
    if (comment === undefined) continue
    const before = comments.at(-1)
    const goesOn =
      before !== undefined && code.trim() === '' && before.line + linesOf(before) === index + 1
    if (goesOn) before.text += `\n${comment}`
    else comments.push({ line: index + 1, text: comment })
  }
  return comments.flatMap(({ line, text }) => habitsIn(text).map((says) => ({ path, line, says })))
}

/** The code of a line, which may quote two hyphens, and its comment. */
const sqlComment = /^((?:[^'-]|'[^']*'|-(?!-))*)--(.*)$/

const linesOf = ({ text }: { readonly text: string }): number => text.split('\n').length

/** Names that mean the same wherever they are declared, and React's own. */
const sharedNames = new Set([
  ...[
    'Props',
    'Clock',
    'Stop',
    'Visibility',
    'ChainSight',
    'ClaimAnswer',
    'Backoff',
    'PendingMode',
  ],
])

/** One meaning for each type name: no two files of the program declare the same one. */
export function typeNameViolations(sources: readonly Source[]): Violation[] {
  const first = new Map<string, string>()
  return sources
    .filter(({ path }) => /(^|\/)src\//.test(path) && !isTest(path))
    .flatMap((source) =>
      typesOf(source).flatMap(({ name, start }) => {
        const other = first.get(name)
        if (other === undefined) first.set(name, source.path)
        if (other === undefined || other === source.path || sharedNames.has(name)) return []
        return [at(source, start, `“${name}” is the name of another type in ${other}`)]
      }),
    )
}

const declarations = new Set([
  ...['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'ClassDeclaration'],
])

function typesOf({ program }: Source): readonly { name: string; start: number }[] {
  const body = Array.isArray(program.body) ? program.body.filter(isNode) : []
  return body
    .map((node) => (isNode(node.declaration) ? node.declaration : node))
    .flatMap((node) => {
      const name = declarations.has(node.type) ? nameOf(node.id) : null
      return name === null ? [] : [{ name, start: node.start }]
    })
}

const habitsIn = (text: string): string[] =>
  habits.flatMap(([pattern, advice]) => {
    const found = pattern.exec(text.replace(/\s*\n\s*\*?\s*|\s+/g, ' '))
    return found === null ? [] : [`“${found[0]}”: ${advice}`]
  })

function textOf(node: Node): string | null {
  if (node.type === 'JSXText' && typeof node.value === 'string') return node.value
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateElement' || !isNode({ type: '', ...(node.value as object) }))
    return null
  const { cooked } = node.value as { cooked?: unknown }
  return typeof cooked === 'string' ? cooked : null
}
