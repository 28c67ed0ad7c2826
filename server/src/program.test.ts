import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Runs a server whose start is this code. Resolves to its exit code and its messages. */
async function run(start: string): Promise<{ code: unknown; err: string }> {
  const program = join(import.meta.dirname, 'program.ts')
  const text = `import { runProgram } from ${JSON.stringify(program)}
    await runProgram(${JSON.stringify(import.meta.dirname)}, async () => { ${start} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    env: { PATH: process.env.PATH },
  })
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
  })
  const [code]: readonly unknown[] = await once(child, 'close')
  return { code, err }
}

describe('a server that cannot start', () => {
  it('says why and ends, even if a part of it still runs', async () => {
    const { code, err } = await run(`
      setInterval(() => undefined, 1_000)
      throw new Error('no room left')`)
    expect(code).toBe(1)
    expect(err).toContain('no room left')
  })
})
