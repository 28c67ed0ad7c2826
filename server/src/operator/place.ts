import { Failure } from '@settlewire/core/errors'
import { systemClock } from '../clock.ts'
import { openGround } from '../compose/ground.ts'
import { prepareHome } from '../compose/home.ts'
import type { Config } from '../config.ts'
import { createLog } from '../log.ts'
import { checkPepper, readPepper } from '../pepper.ts'
import type { Directory, Keys } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import { hasDatabase } from '../store/embedded/embedded-place.ts'
import { runningEmbedded } from '../store/embedded-running.ts'
import { migrate } from '../store/migrate.ts'
import { openStore } from '../store/open.ts'

/** What operators' commands work with: the directory of one installation. */
export interface OperatorPlace {
  readonly directory: Directory
  readonly keys: Keys
  readonly clock: Clock
  /** What keys are hashed with. Asked for only by those who make keys. */
  pepper(): Promise<Uint8Array>
}

export interface OpenOptions {
  readonly config: Config
  /** Whether an empty database may be begun. */
  readonly begins: boolean
  /** What must be ended, in the reverse order of being named. */
  readonly onClose: (closer: () => unknown) => void
}

/**
 * The database at `DATABASE_URL`; else that of the server which runs in the data directory; else the one
 * that is in it, started for as long as it takes.
 */
export async function openPlace({ config, begins, onClose }: OpenOptions): Promise<OperatorPlace> {
  const clock = systemClock
  const log = createLog({ level: 'error', clock })
  const { home } = config
  const open = async (): Promise<string> => {
    if (!begins && !hasDatabase(home)) throw nothingIn(home)
    prepareHome(home)
    return (await openGround({ config: { ...config, sandbox: null }, clock, log, onClose }))
      .databaseUrl
  }
  const url = config.databaseUrl ?? runningEmbedded(home) ?? (await open())
  await migrate(url, { log, ...(!begins && { only: 'check' }) })
  const store = openStore({ url, clock, log, connectionsMax: 2 })
  onClose(() => store.close())
  const { directory, keys } = store
  return {
    ...{ directory, keys, clock },
    pepper: async () => {
      prepareHome(home)
      const pepper = readPepper(home, clock)
      await checkPepper(pepper, { home, directory })
      return pepper
    },
  }
}

const nothingIn = (home: string): Failure =>
  new Failure(
    'invalid_config',
    `There is no database in ${home}: set SETTLEWIRE_HOME to the data directory of the server, or DATABASE_URL to its database.`,
  )
