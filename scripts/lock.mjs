/**
 * A lock between processes, as a directory: creating one either succeeds or fails, atomically. Runs
 * on any Node since 18, before anything is installed.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const waitMs = 200
/** An older lock without an owner file was left by a process that was killed while taking it. */
const nascentMs = 10_000
const longestMs = 30 * 60_000

/**
 * Runs `work` while holding the lock at `path`, and releases it even if `work` fails. Waits for a
 * living holder; takes over from one that was killed.
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
    if (Date.now() > until) throw new Error(`${path} was held for too long. Remove it by hand.`)
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
    // No owner file: the lock is being taken or released, or its process died while creating it.
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
    // Another waiter is taking over.
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
    // A missing path has no age.
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
 * Start time in clock ticks, so that a process that reuses a pid is not mistaken for the former
 * owner. Empty if the system has no /proc.
 * @param {number} pid
 */
function birthOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // No /proc, or the process has ended, which `isAlive` detects.
    return ''
  }
}
