import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { startEmbedded } from '../../server/src/store/embedded/embedded.ts'
import { migrate } from '../../server/src/store/migrate.ts'
import { templateName } from './postgres.ts'
import { execute, temporaryHome, withDatabase } from './postgres-server.ts'

/**
 * One real PostgreSQL for a whole test run, in a directory and on a socket of its own, so that runs
 * are isolated. Tests create databases on it (`testDatabase`). It ends with the run, also when the
 * run is killed.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await temporaryHome()
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true })
  const server = await startEmbedded({
    home,
    clock: systemClock,
    log: silentLog,
    settings: { max_connections: '200', max_wal_size: '256MB' },
  }).catch(async (error) => {
    await remove()
    throw error
  })
  const end = async (): Promise<void> => {
    await server.stop()
    await remove()
  }
  try {
    await execute(server.url, `create database ${templateName}`)
    await migrate(withDatabase(server.url, templateName), { log: silentLog })
  } catch (error) {
    await end()
    throw error
  }
  project.provide('postgresUrl', server.url)
  return end
}
