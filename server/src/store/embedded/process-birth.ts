import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const hasProc = existsSync('/proc/self/stat')

/**
 * When a process started, as text that differs from any other process with the same pid on this
 * machine, also after a reboot. Null if the process does not exist or is a zombie.
 */
export function birthOf(pid: number): string | null {
  if (!isThere(pid)) return null
  if (!hasProc) return askPs('lstart=', pid)
  const stat = readOrNull(`/proc/${pid}/stat`)
  // It exists but is hidden from this user, so it cannot be compared: it counts as the same.
  if (stat === null) return isThere(pid) ? 'hidden' : null
  // The name in parentheses may itself contain blanks and parentheses; the state follows the last.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  const startTicks = rest[18] ?? ''
  return `${readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${startTicks}`
}

/** Whether the process with this pid and birth is still running. */
export function livesOn(pid: number, born: string): boolean {
  const now = birthOf(pid)
  return now !== null && (now === born || now === 'hidden')
}

/** The command line of a process; empty if it cannot be read. */
export const commandOf = (pid: number): string =>
  (hasProc ? readOrNull(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') : askPs('command=', pid)) ??
  ''

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process belongs to another user, but it exists.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended meanwhile, or is hidden: both are results, not errors.
    return null
  }
}

function askPs(column: string, pid: number): string | null {
  const answer = spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' })
  const text = answer.status === 0 ? answer.stdout.trim() : ''
  return text === '' ? null : text
}
