import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { startEmbedded } from '../../server/src/store/embedded/embedded.ts'
import { migrate } from '../../server/src/store/migrate.ts'
import { execute, withDatabase } from '../support/postgres-server.ts'

/** A temporary PostgreSQL for the worlds of a run. */
export interface Ground {
  /** Creates a migrated database in it, and resolves to its URL. */
  database(): Promise<string>
  /** Removes a database, even while clients are connected. */
  drop(database: string): Promise<void>
  close(): Promise<void>
}

const template = 'simulation'
/** A file system in memory, if the system has one: nothing here has to survive a power cut. */
const memory = '/dev/shm'

export async function openGround(): Promise<Ground> {
  const home = await mkdtemp(join(existsSync(memory) ? memory : tmpdir(), 'settlewire-simulation-'))
  await chmod(home, 0o755)
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true })
  const server = await startEmbedded({
    ...{ home, clock: systemClock, log: silentLog },
    settings: {
      ...{ autovacuum: 'off', max_wal_size: '1GB', shared_buffers: '128MB' },
      ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
    },
  }).catch(async (error) => {
    await remove()
    throw error
  })
  const end = async (): Promise<void> => {
    await server.stop()
    await remove()
  }
  try {
    await execute(server.url, `create database ${template}`)
    await migrate(withDatabase(server.url, template), { log: silentLog })
  } catch (error) {
    await end()
    throw error
  }
  let made = 0
  return {
    async database() {
      const name = `world_${++made}`
      await execute(server.url, `create database ${name} template ${template}`)
      return withDatabase(server.url, name)
    },
    async drop(database) {
      const name = new URL(database).pathname.slice(1)
      await execute(server.url, `drop database ${name} with (force)`)
    },
    close: end,
  }
}
