import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Config } from '../config.ts'
import type { Log } from '../ports/log.ts'
import { writeWhole } from '../whole-file.ts'

/** Where the history of a data directory is kept: in its own PostgreSQL, or where `DATABASE_URL` points. */
type Place = 'embedded' | 'url'

const nameOf = (home: string): string => join(home, 'history-place')

/**
 * Remembers where the history of this data directory is kept, and speaks up when it would be another
 * place than last time: to change it by leaving out a setting would begin an empty history without a
 * word. Throws `invalid_config` where only the setting is missing; a change that was asked for by name
 * goes on, with a warning that says what it does.
 */
export function rememberPlace(
  { home, databaseUrl, variable }: Pick<Config, 'home' | 'databaseUrl' | 'variable'>,
  log: Log,
): void {
  const path = nameOf(home)
  const place: Place = databaseUrl === null ? 'embedded' : 'url'
  const before = existsSync(path) ? readFileSync(path, 'utf8').trim() : null
  if (before === place) return
  const isChange = before !== null
  if (isChange && place === 'embedded' && (variable('DATABASE_URL') ?? '') === '') {
    throw new Failure(
      'invalid_config',
      `${home} was used with DATABASE_URL, which is not set now: the history is in that database. Set DATABASE_URL to it, or to the word embedded to begin another history in this directory.`,
    )
  }
  if (isChange) log.warn({ area: 'config' }, changes[place])
  writeWhole(path, `${place}\n`)
}

const changes: Readonly<Record<Place, string>> = {
  embedded:
    'this data directory was used with DATABASE_URL: from now on its own database holds the history, and nothing of the other one is seen here',
  url: 'this data directory has a history in its own database: from now on DATABASE_URL holds the history, and nothing of the other one is seen here',
}
