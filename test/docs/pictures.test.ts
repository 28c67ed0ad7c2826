import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

it('every picture in a document exists and has an alternative text', () => {
  const shown = documents.flatMap((path) =>
    Array.from(readFileSync(join(root, path), 'utf8').matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)).map(
      ([, words = '', target = '']) => ({ path, words, target }),
    ),
  )
  expect(shown.length).toBeGreaterThan(2)
  for (const { path, words, target } of shown) {
    expect([path, target, existsSync(join(root, dirname(path), target))]).toEqual([
      path,
      target,
      true,
    ])
    expect(words).toMatch(/\w{3}/)
  }
})
