import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findBinaries, locatePackage, type NativePackage } from './embedded-binaries.ts'
import { chooseRunUser, runs } from './embedded-user.ts'

const user = chooseRunUser(null)

describe('the binaries of PostgreSQL', () => {
  let closed: string
  let open: string
  /** The package as npm leaves it without install scripts: no links, nothing executable. */
  let bare: NativePackage

  beforeAll(async () => {
    closed = await mkdtemp(join(tmpdir(), 'settlewire-closed-'))
    const { native } = locatePackage()
    bare = { native: join(closed, 'native'), version: 'test' }
    await cp(native, bare.native, {
      recursive: true,
      filter: (path) => !path.endsWith('.a') && !lstatSync(path).isSymbolicLink(),
    })
    for (const name of ['postgres', 'initdb']) await chmod(join(bare.native, 'bin', name), 0o600)
  })
  afterAll(() => rm(closed, { recursive: true, force: true }))

  beforeEach(async () => {
    open = await mkdtemp(join(tmpdir(), 'settlewire-open-'))
    await chmod(open, 0o755)
  })
  afterEach(() => rmSync(open, { recursive: true, force: true }))

  it('are run where npm put them if the user can reach that directory', async () => {
    const { postgres } = await findBinaries(user)
    expect(runs(user, [postgres, '--version'])).toBe(true)
  })

  it('are copied, with links and modes, to a directory where their user can run them', async () => {
    const { postgres, initdb } = await findBinaries(user, bare, [open])
    expect(postgres.startsWith(open)).toBe(true)
    expect(runs(user, [postgres, '--version'])).toBe(true)
    expect(runs(user, [initdb, '--version'])).toBe(true)
    // The second call finds the copy and makes no other.
    const again = await findBinaries(user, { ...bare, native: join(closed, 'gone') }, [open])
    expect(again.postgres).toBe(postgres)
  })

  it('are copied once when several processes try at once', async () => {
    const found = await Promise.all(
      Array.from({ length: 3 }, () => findBinaries(user, bare, [open])),
    )
    expect(new Set(found.map(({ postgres }) => postgres)).size).toBe(1)
    expect(runs(user, [found[0]?.postgres ?? '', '--version'])).toBe(true)
    expect(readdirSync(open)).toHaveLength(1)
  })

  it('are copied again when a cleaner has removed one of the files', async () => {
    const { postgres } = await findBinaries(user, bare, [open])
    const zone = join(dirname(dirname(postgres)), 'share', 'postgresql', 'postgres.bki')
    rmSync(zone)
    await findBinaries(user, bare, [open])
    expect(existsSync(zone)).toBe(true)
  })

  it('are not run from a directory that another user could have written to', async () => {
    const { postgres } = await findBinaries(user, bare, [open])
    const copy = dirname(dirname(postgres))
    chmodSync(copy, 0o777)
    await expect(findBinaries(user, bare, [open])).rejects.toMatchObject({ code: 'invalid_config' })
    chmodSync(copy, 0o755)
    if (process.getuid?.() === 0) chownSync(copy, user.uid, user.gid)
    else {
      rmSync(copy, { recursive: true })
      symlinkSync('/usr', copy)
    }
    await expect(findBinaries(user, bare, [open])).rejects.toMatchObject({ code: 'invalid_config' })
  })

  it('are copied to the next directory if the first is unusable', async () => {
    const second = join(open, 'second')
    await mkdir(second)
    const { postgres } = await findBinaries(user, bare, [join(open, 'nowhere'), second])
    expect(postgres.startsWith(second)).toBe(true)
  })
})
