import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** CPU of this process so far, user and system, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

type CollectOptions =
  | { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }
  | { readonly type: 'minor' }

function collector(): (options: CollectOptions) => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

/** Collects what was made lately, so that its collection falls into nothing that is measured. */
export const collectYoung = (): void => collector()({ type: 'minor' })

const quietMs = 10_000

/** Memory of this process in bytes as an operator sees it: after quiet seconds, nothing forced. */
export async function residentBytes(): Promise<number> {
  await sleep(quietMs)
  return process.memoryUsage.rss()
}

/**
 * The least it can be: after garbage collections that no server runs by itself. Good as the ground to
 * measure from, since a low one flatters nobody; as a result it is a floor and no promise.
 */
export async function collectedBytes(): Promise<number> {
  const collect = collector()
  for (let i = 0; i < 3; i++) {
    await sleep(300)
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  return process.memoryUsage.rss()
}
