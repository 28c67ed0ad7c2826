import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { rememberPlace } from './history-place.ts'

const url = 'postgres://user:secret@db.example/settlewire'
let home: string
let warnings: string[]
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-place-'))
  warnings = []
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Starts with this DATABASE_URL in the environment; undefined: not set. */
function start(setting: string | undefined): void {
  const databaseUrl = setting === undefined || setting === 'embedded' ? null : setting
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) }
  rememberPlace({ home, databaseUrl, variable: () => setting }, log)
}

describe('a data directory', () => {
  it.each([undefined, 'embedded', url])('may be reused with the same setting: %s', (setting) => {
    start(setting)
    start(setting)
    expect(warnings).toEqual([])
  })

  it('that was used with DATABASE_URL is refused without it, each time', () => {
    start(url)
    for (let tries = 0; tries < 2; tries++) {
      expect(() => start(undefined)).toThrow(/is in the database that DATABASE_URL named before/)
    }
    start(url)
    expect(warnings).toEqual([])
  })

  it('begins its own history with DATABASE_URL=embedded, and warns', () => {
    start(url)
    start('embedded')
    expect(warnings).toEqual([expect.stringContaining('its own database holds the history')])
    start(undefined)
    expect(warnings).toHaveLength(1)
  })

  it('with its own history may be used with DATABASE_URL, with a warning', () => {
    start(undefined)
    start(url)
    expect(warnings).toEqual([expect.stringContaining('DATABASE_URL holds the history')])
  })

  it('does not store the URL, which may contain a password', () => {
    start(url)
    expect(readFileSync(join(home, 'history-place'), 'utf8')).toBe('url\n')
  })
})
