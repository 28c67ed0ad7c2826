import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { checkPepper, readPepper } from './pepper.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-pepper-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** A model of the secrets in the database. */
function installation() {
  const secrets = new Map<string, Uint8Array>()
  return {
    async secret(name: string, make: () => Uint8Array): Promise<Uint8Array> {
      const known = secrets.get(name) ?? make()
      secrets.set(name, known)
      return known
    },
  }
}

describe('the pepper', () => {
  it('is created once, readable only by its owner', () => {
    const first = readPepper(home, systemClock)
    expect(readPepper(home, systemClock)).toEqual(first)
    expect(statSync(join(home, 'pepper')).mode & 0o777).toBe(0o600)
  })

  it('is refused when it is damaged', () => {
    writeFileSync(join(home, 'pepper'), 'short')
    expect(() => readPepper(home, systemClock)).toThrow(/damaged/)
  })

  it('is refused when the keys of the database were hashed with another pepper', async () => {
    const directory = installation()
    await checkPepper(readPepper(home, systemClock), { home, directory })
    await checkPepper(readPepper(home, systemClock), { home, directory })
    rmSync(join(home, 'pepper'))
    await expect(
      checkPepper(readPepper(home, systemClock), { home, directory }),
    ).rejects.toMatchObject({ code: 'invalid_config' })
  })
})
