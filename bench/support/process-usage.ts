import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** CPU time of this process so far, user and system, in microseconds. */
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

/** Collects young objects now, so that their collection does not fall into a measurement. */
export const collectYoung = (): void => collector()({ type: 'minor' })

const quietMs = 10_000

/** RSS of this process in bytes as an operator sees it: after idle seconds, without a forced GC. */
export async function residentBytes(): Promise<number> {
  await sleep(quietMs)
  return process.memoryUsage.rss()
}

/**
 * The lowest possible RSS: after garbage collections that a server never runs by itself. As the
 * base of a difference it is conservative, because a low base makes the difference larger; as a
 * result it is only a lower bound.
 */
export async function collectedBytes(): Promise<number> {
  const collect = collector()
  for (let i = 0; i < 3; i++) {
    await sleep(300)
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  return process.memoryUsage.rss()
}
