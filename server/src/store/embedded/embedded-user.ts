import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Failure } from '@settlewire/core/errors'

/** The user that PostgreSQL runs as. `other`: not ours, because we are root, which it refuses. */
export interface RunUser {
  readonly uid: number
  readonly gid: number
  readonly other: boolean
}

const preferred = ['postgres', '_postgres', 'nobody']
const uidMax = 2 ** 31

/**
 * This process's user. As root: the owner of the existing data, else the first of `preferred` or
 * any other user that root can become. Throws `invalid_config` if no user fits.
 */
export function chooseRunUser(dataOwner: { uid: number; gid: number } | null): RunUser {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  if (uid !== 0) return { uid, gid, other: false }
  if (dataOwner !== null) return { ...dataOwner, other: true }
  for (const user of users()) {
    if (canBecome(user)) return { uid: user.uid, gid: user.gid, other: true }
  }
  throw new Failure(
    'invalid_config',
    'PostgreSQL does not run as root, and there is no other user to run it as. Set DATABASE_URL, or start as another user.',
  )
}

/** Whether a user may enter a directory. Tries it, because only the system knows every rule. */
export const canEnter = (user: RunUser, directory: string): boolean =>
  runs(user, ['/bin/sh', '-c', 'cd -- "$1"', 'sh', directory])

/** Whether a program runs as this user and exits with code 0. */
export function runs(user: RunUser, [command = '', ...args]: readonly string[]): boolean {
  const { uid, gid } = user
  const as = user.other ? { uid, gid } : {}
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
  return (
    spawnSync(command, args, { ...as, env, cwd: '/', stdio: 'ignore', timeout: 10_000 }).status ===
    0
  )
}

const canBecome = (user: { uid: number; gid: number }): boolean =>
  runs({ ...user, other: true }, ['/bin/sh', '-c', ':'])

/** Users with an entry in `/etc/passwd`, because `initdb` looks up the name of its user. */
function users(): { name: string; uid: number; gid: number }[] {
  const rank = (name: string): number => {
    const at = preferred.indexOf(name)
    return at === -1 ? preferred.length : at
  }
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && uid < uidMax && gid >= 0 && gid < uidMax)
    .sort((a, b) => rank(a.name) - rank(b.name))
}
