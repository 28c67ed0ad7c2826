import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** CPU of this process so far, user and system, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

interface CollectOptions {
  readonly type: 'major'
  readonly execution: 'sync'
  readonly flavor: 'last-resort'
}

/**
 * Memory of this process in bytes, once what it did before is forgotten. V8 gives back the room that
 * busy times took after some fifteen quiet seconds; here it is asked to do so at once.
 */
export async function settledRss(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: (options: CollectOptions) => void = runInNewContext('gc')
  for (let i = 0; i < 3; i++) {
    await sleep(300)
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  return process.memoryUsage.rss()
}
