import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { complaint } from '../program.ts'
import { prepareHome } from './home.ts'

describe('the data directory', () => {
  let above: string

  beforeEach(() => {
    above = mkdtempSync(join(tmpdir(), 'settlewire-home-'))
  })
  afterEach(() => rmSync(above, { recursive: true, force: true }))

  it('is created, and left unchanged if it exists', () => {
    prepareHome(join(above, 'a', 'b'))
    prepareHome(join(above, 'a', 'b'))
    expect(readdirSync(join(above, 'a', 'b'))).toEqual([])
  })

  it.each([
    ['a file', 'file', 'is a file, not a directory'],
    ['below a file', 'file/home', 'contains a file'],
    ['in a loop of links', 'circle/home', 'contains a loop of links'],
    ['too long a name', 'n'.repeat(300), 'too long for this file system'],
    ['too long a path', 'p/'.repeat(500), 'more than 800 bytes'],
    ['two lines', 'line\nbreak', 'control character'],
  ])('is refused with a sentence and without a stack: %s', (_, name, words) => {
    writeFileSync(join(above, 'file'), '')
    symlinkSync('circle', join(above, 'circle'))
    let message = ''
    try {
      prepareHome(join(above, name))
    } catch (error) {
      message = complaint(error)
    }
    expect(message).toContain('(invalid_config)')
    expect(message).toContain(words)
    expect(message).toContain('or set SETTLEWIRE_HOME')
    expect(message).not.toMatch(/^ +at /m)
  })
})
