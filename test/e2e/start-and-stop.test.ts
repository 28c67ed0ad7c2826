import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { testDatabase } from '../support/postgres.ts'

const home = temporaryHome()
let database: Awaited<ReturnType<typeof testDatabase>>
let env: Record<string, string>
let server: ServerProcess
beforeAll(async () => {
  database = await testDatabase()
  env = { DATABASE_URL: database.url, SANDBOX_BLOCK_SECONDS: '60' }
  server = await startServer({
    home: home.path,
    env: { ...env, PUBLIC_URL: 'https://pay.example' },
  })
})
afterAll(async () => {
  await server.stop()
  await database.close()
  home.remove()
})

/** The options of a server without a sandbox: a history and a data directory of its own. */
async function bare() {
  const { path, remove } = temporaryHome()
  const own = await testDatabase()
  const close = async (): Promise<void> => {
    await own.close()
    remove()
  }
  return { home: path, env: { DATABASE_URL: own.url, SANDBOX: 'off' }, close }
}

/** The output of a server that cannot start. */
const refusal = async (options: Parameters<typeof startServer>[0]): Promise<string> =>
  startServer(options).then(
    async (started) => {
      await started.stop()
      return 'it started'
    },
    (error: Error) => error.message,
  )

describe('a start', () => {
  it('prints the local address, also when PUBLIC_URL is set', async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(server.output()).toContain(`Demo shop  ${server.url}/shop`)
    expect(server.output()).toMatch(/Public +https:\/\/pay\.example\n/)
    expect(server.sandbox.url).toBe(server.url)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  it('prints the address of the local chain, and that the usual port is in use', () => {
    const { rpcUrl } = server.sandbox
    const moved = rpcUrl.endsWith(':8545') ? '' : ' (8545 is in use)'
    expect(server.output()).toContain(`\n  Chain      ${rpcUrl}${moved}\n`)
  })

  it('is refused with the address of the server that already uses the data directory', async () => {
    const said = await refusal({ home: home.path, env })
    expect(said).toContain('cannot start (home_in_use)')
    expect(said).toContain(`Settlewire runs at ${server.url}.`)
    expect(said).toContain('Stop it; or, for a second one, set both SETTLEWIRE_HOME and PORT.')
  })

  it('reports a taken port as `port_in_use`, not as an invalid configuration', async () => {
    const other = await bare()
    const port = new URL(server.url).port
    const said = await refusal({ ...other, env: { ...other.env, PORT: port } })
    await other.close()
    expect(said).toContain('cannot start (port_in_use)')
    expect(said).toContain(`127.0.0.1:${port}`)
    expect(said).not.toContain('invalid_config')
  })

  it.each([
    ['--port=9000', 'takes no argument --port. Did you mean PORT=…?'],
    ['--verbose', 'takes no argument --verbose.'],
    ['sandbox', 'takes no argument sandbox.'],
    ['--database-url=postgres://me:secret@there/db', 'Did you mean DATABASE_URL=…?'],
  ])(
    'refuses the argument %s, because settings come from the environment',
    async (argument, says) => {
      const said = await refusal({ home: home.path, env, args: [argument] })
      expect(said).toContain('cannot start (unknown_argument)')
      expect(said).toContain(says)
      expect(said).toContain('PORT=9000 npm start')
      expect(said).not.toContain('secret')
    },
  )
})

it('a server that stops on Ctrl-C prints where its data is kept', async () => {
  const own = await bare()
  const started = await startServer(own)
  await started.interrupt()
  await own.close()
  expect(started.output()).toMatch(/\nStopping …\nStopped\. Everything is stored in .+\n$/)
})
