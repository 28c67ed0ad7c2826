import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Config } from '../config.ts'
import type { Log } from '../ports/log.ts'
import { writeWhole } from '../whole-file.ts'

/** Where the history of a data directory is: in its embedded PostgreSQL, or at `DATABASE_URL`. */
type HistoryPlace = 'embedded' | 'url'

const recordPath = (home: string): string => join(home, 'history-place')

/**
 * Fails with `invalid_config` if this data directory was used with DATABASE_URL and the setting is
 * missing now: the server would silently begin an empty history. Otherwise stores where the history
 * is. An explicit change is allowed, with a warning about its effect.
 */
export function rememberPlace(
  { home, databaseUrl, variable }: Pick<Config, 'home' | 'databaseUrl' | 'variable'>,
  log: Log,
): void {
  const path = recordPath(home)
  const place: HistoryPlace = databaseUrl === null ? 'embedded' : 'url'
  const before = existsSync(path) ? readFileSync(path, 'utf8').trim() : null
  if (before === place) return
  const isChange = before !== null
  if (isChange && place === 'embedded' && (variable('DATABASE_URL') ?? '') === '') {
    throw new Failure(
      'invalid_config',
      `The history of ${home} is in the database that DATABASE_URL named before. Set DATABASE_URL again, or set it to \`embedded\` to use the directory's own database, which does not have that history.`,
    )
  }
  if (isChange) log.warn({ area: 'config' }, changes[place])
  writeWhole(path, `${place}\n`)
}

const changes: Readonly<Record<HistoryPlace, string>> = {
  embedded:
    'this data directory was used with DATABASE_URL: from now on its own database holds the history, and the other history is not used',
  url: 'this data directory has a history in its own database: from now on DATABASE_URL holds the history, and the other history is not used',
}
