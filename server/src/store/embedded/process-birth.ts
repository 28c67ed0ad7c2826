import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const hasProc = existsSync('/proc/self/stat')

/**
 * When a process was born, as text that no other process of this machine has with the same number,
 * not even after a reboot. Null when there is no such process, or only its corpse.
 */
export function birthOf(pid: number): string | null {
  if (!isThere(pid)) return null
  if (!hasProc) return askPs('lstart=', pid)
  const stat = readOrNull(`/proc/${pid}/stat`)
  // There, but hidden from us: it cannot be told apart, so it counts as itself.
  if (stat === null) return isThere(pid) ? 'hidden' : null
  // The name in parentheses may itself hold blanks and parentheses; the state follows the last one.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  const startTicks = rest[18] ?? ''
  return `${readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${startTicks}`
}

/** Whether the process that was born then, with that number, still lives. */
export function livesOn(pid: number, born: string): boolean {
  const now = birthOf(pid)
  return now !== null && (now === born || now === 'hidden')
}

/** The command line of a process; empty when it cannot be read. */
export const commandOf = (pid: number): string =>
  (hasProc ? readOrNull(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') : askPs('command=', pid)) ??
  ''

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Gone between the look and the read, or hidden: both are answers, not errors.
    return null
  }
}

function askPs(column: string, pid: number): string | null {
  const answer = spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' })
  const text = answer.status === 0 ? answer.stdout.trim() : ''
  return text === '' ? null : text
}
