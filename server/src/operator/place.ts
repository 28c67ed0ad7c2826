import type { ChainConfig } from '../chain-config.ts'
import { systemClock } from '../clock.ts'
import { configuredChains } from '../compose/chains.ts'
import { openGround } from '../compose/ground.ts'
import { prepareHome } from '../compose/home.ts'
import type { Config } from '../config.ts'
import { createLog } from '../log.ts'
import { checkPepper, readPepper } from '../pepper.ts'
import type { Directory, Keys } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import { requireDatabase } from '../store/embedded/embedded-place.ts'
import { runningEmbedded } from '../store/embedded-running.ts'
import { migrate } from '../store/migrate.ts'
import { openStore } from '../store/open.ts'

/** The database of one installation, for operator commands. */
export interface OperatorPlace {
  readonly directory: Directory
  readonly keys: Keys
  readonly clock: Clock
  /** The pepper with which keys are hashed. Only commands that create keys need it. */
  pepper(): Promise<Uint8Array>
  /** The chains of the configuration file. Throws `invalid_config`. */
  chains(): Promise<readonly ChainConfig[]>
}

export interface OpenOptions {
  /** The directory of the project. */
  readonly root: string
  readonly config: Config
  /** Whether an empty database may be initialized. */
  readonly begins: boolean
  /** Registers a closer. Closers run in reverse order. */
  readonly onClose: (closer: () => unknown) => void
}

/**
 * Opens the database at `DATABASE_URL`; else the database of the server that runs in the data
 * directory; else the embedded database there, started until the command ends.
 */
export async function openPlace(options: OpenOptions): Promise<OperatorPlace> {
  const { root, config, begins, onClose } = options
  const clock = systemClock
  const log = createLog({ level: 'error', clock })
  const { home } = config
  const open = async (): Promise<string> => {
    if (!begins) requireDatabase(home)
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
    chains: () => configuredChains(root, config),
  }
}
