import type { Config } from '../config.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { type Sandbox, startSandbox } from '../sandbox/start-sandbox.ts'
import { startEmbedded } from '../store/embedded/embedded.ts'
import { lockHome } from '../store/embedded/home-lock.ts'
import { rememberPlace } from './history-place.ts'

/** What everything stands on. */
export interface Ground {
  readonly databaseUrl: string
  readonly sandbox: Sandbox | null
  /** Resolves with what it was if one of them ends by itself. */
  readonly lost: Promise<string>
  /** Writes down where this process answers, for the next that wants its data directory. */
  tellUrl(url: string): void
}

/** The database, and in the sandbox the chain, both at once. */
export async function openGround({
  config,
  clock,
  log,
  onClose,
}: {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** What must be ended, in the reverse order of being named. */
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
  // Both are waited for, also when one fails: what has started must be known to be stopped.
  const [url, chain] = await Promise.allSettled([database(), sandbox()])
  if (url.status === 'rejected') throw url.reason
  if (chain.status === 'rejected') throw chain.reason
  const tellUrl = (at: string): void => lock.tell(at)
  return { databaseUrl: url.value, sandbox: chain.value, lost: lost.promise, tellUrl }
}
