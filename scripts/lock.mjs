/**
 * One at a time, across processes: a directory is the lock, because making one either works or does
 * not. Runs on any Node since 18, before anything is installed.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const waitMs = 200
/** A lock whose owner is not written yet is young, or its maker was killed in between. */
const nascentMs = 10_000
const longestMs = 30 * 60_000

/**
 * Runs `work` while holding the lock at `path`, and gives it back however `work` ends. Waits for a
 * holder that lives; takes over from one that was killed.
 * @template T
 * @param {string} path
 * @param {{ onWait?: () => void }} options
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function locked(path, options, work) {
  mkdirSync(dirname(path), { recursive: true })
  const until = Date.now() + longestMs
  for (let told = false; !take(path); told = true) {
    if (isStale(path) && takeOver(path)) break
    if (!told) options.onWait?.()
    if (Date.now() > until) throw new Error(`${path} was held for too long; remove it by hand`)
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  try {
    return await work()
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** @param {string} path */
function take(path) {
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(path, 'owner'), `${process.pid} ${birthOf(process.pid)}`)
  return true
}

/** @param {string} path */
function isStale(path) {
  try {
    const [pid = '', born = ''] = readFileSync(join(path, 'owner'), 'utf8').split(' ')
    return !isAlive(Number(pid)) || birthOf(Number(pid)) !== born
  } catch {
    // No owner: just being made, just being given back, or made by a process that died on it.
    return ageMs(path) > nascentMs
  }
}

/**
 * Only one waiter may clear a stale lock, or the second would clear the first one's new lock.
 * @param {string} path
 */
function takeOver(path) {
  const turn = `${path}.takeover`
  if (ageMs(turn) > nascentMs) rmSync(turn, { recursive: true, force: true })
  try {
    mkdirSync(turn)
  } catch {
    // Another waiter is at it.
    return false
  }
  try {
    if (!isStale(path)) return false
    rmSync(path, { recursive: true, force: true })
    return take(path)
  } finally {
    rmSync(turn, { recursive: true, force: true })
  }
}

/** @param {string} path */
function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    // Not there is not old.
    return 0
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Start time in clock ticks, so that a number used again is not mistaken for its former owner.
 * Empty where there is no /proc.
 * @param {number} pid
 */
function birthOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // No /proc here, or the process is gone, which `isAlive` tells.
    return ''
  }
}
