import type { Config } from '../config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { type Sandbox, startSandbox } from '../sandbox/start-sandbox.ts'
import { startEmbedded } from '../store/embedded/embedded.ts'
import { lockHome } from '../store/embedded/home-lock.ts'
import { rememberPlace } from './history-place.ts'

/** What all other parts need: the database, and in the sandbox the local chain. */
export interface Ground {
  readonly databaseUrl: string
  readonly sandbox: Sandbox | null
  /** Resolves with its name if the database or the chain stops unexpectedly. */
  readonly lost: Promise<string>
  /**
   * Writes the URL of this HTTP server into the lock: a second process that wants this data directory
   * reports it.
   */
  tellUrl(url: string): void
}

/** Starts the database, and in the sandbox the chain, in parallel. */
export async function openGround({
  config,
  clock,
  log,
  onClose,
}: {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** Registers a closer. Closers run in reverse order. */
  readonly onClose: (closer: () => unknown) => void
}): Promise<Ground> {
  const { home } = config
  const lock = lockHome(home)
  onClose(() => lock.release())
  rememberPlace(config, log)
  const lost = Promise.withResolvers<string>()
  const database = async (): Promise<string> => {
    if (config.databaseUrl !== null) return config.databaseUrl
    const { url, stop, exited } = await startEmbedded({ home, clock, log, lock })
    onClose(stop)
    exited.then(() => lost.resolve('The embedded database'))
    return url
  }
  const sandbox = async (): Promise<Sandbox | null> => {
    if (config.sandbox === null) return null
    const started = await startSandbox({ ...config.sandbox, home, clock, log })
    onClose(() => started.close())
    started.exited.then(() => lost.resolve('The local chain'))
    return started
  }
  // Waits for both, also when one fails, so that the started one is registered to be closed.
  const [url, chain] = await Promise.allSettled([database(), sandbox()])
  if (url.status === 'rejected') throw url.reason
  if (chain.status === 'rejected') throw chain.reason
  const tellUrl = (at: string): void => lock.recordUrl(at)
  return { databaseUrl: url.value, sandbox: chain.value, lost: lost.promise, tellUrl }
}
