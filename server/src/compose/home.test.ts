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

  it('is made, and left as it was found', () => {
    prepareHome(join(above, 'a', 'b'))
    prepareHome(join(above, 'a', 'b'))
    expect(readdirSync(join(above, 'a', 'b'))).toEqual([])
  })

  it.each([
    ['a file', 'file', 'is a file and no directory'],
    ['below a file', 'file/home', 'leads through a file'],
    ['in a circle', 'circle/home', 'go in a circle'],
    ['too long a name', 'n'.repeat(300), 'too long for this file system'],
    ['too long a path', 'p/'.repeat(500), 'more than 800 bytes'],
    ['two lines', 'line\nbreak', 'control character'],
  ])('is refused with a sentence and no stack: %s', (_, name, words) => {
    writeFileSync(join(above, 'file'), '')
    symlinkSync('circle', join(above, 'circle'))
    let said = ''
    try {
      prepareHome(join(above, name))
    } catch (error) {
      said = complaint(error)
    }
    expect(said).toContain('(invalid_config)')
    expect(said).toContain(words)
    expect(said).toContain('or set SETTLEWIRE_HOME')
    expect(said).not.toMatch(/^ +at /m)
  })
})
