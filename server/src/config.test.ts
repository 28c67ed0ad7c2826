import { failedWith } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import { type Environment, readConfig, settings } from './config.ts'

const root = '/srv/settlewire'
const read = (env: Environment = {}) => readConfig(root, env)

/** The names of the settings for which a configuration is refused. */
function refusals(env: Environment): string[] {
  try {
    read(env)
    return []
  } catch (error) {
    if (!failedWith(error, 'invalid_config')) throw error
    return error.fields.map((field) => field.pointer.slice(1))
  }
}

function refusal(env: Environment): string {
  try {
    read(env)
  } catch (error) {
    if (failedWith(error, 'invalid_config')) return error.message
    throw error
  }
  throw new Error('was accepted')
}

describe('the configuration', () => {
  it('is complete without any setting: a sandbox for this machine only', () => {
    const config = read()
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      home: '/srv/settlewire/.settlewire',
      databaseUrl: null,
      logLevel: 'warn',
      shutdownMs: 10_000,
      heartbeatMs: 15_000,
      sandbox: { rpcUrl: null, blockSeconds: 2 },
      warnings: [],
    })
    expect(config.publicUrl(8080)).toBe('http://127.0.0.1:8080')
  })

  it('names the file of chains: in the project, at a path, or none', () => {
    expect(read().configFile).toBe('project')
    expect(read({ SETTLEWIRE_CONFIG: 'off' }).configFile).toBeNull()
    expect(read({ SETTLEWIRE_CONFIG: '/etc/settlewire.config.mjs' }).configFile).toEqual({
      path: '/etc/settlewire.config.mjs',
    })
    expect(read({ BASE_RPC_URL: 'wss://node.example' }).variable('BASE_RPC_URL')).toBe(
      'wss://node.example',
    )
  })

  it('has limits for clients, with defaults', () => {
    expect(read().edge).toEqual({
      ...{ connectionsMax: 20_000, connectionsPerAddressMax: 1_000, countsOwnMachine: false },
      ...{ trustedProxies: ['127.0.0.0/8', '::1/128'], pipelinedMax: 8 },
      ...{ unreadBytesMax: 4_194_304, streamUnreadBytesMax: 262_144, heldBytesMax: 268_435_456 },
      ...{ streamsPerPaymentMax: 10_000, streamsPerMerchantMax: 20_000, streamsPerAddressMax: 500 },
      ...{ streamAgeMs: 3_600_000, streamReturnMs: 10_000 },
      ...{ headMs: 10_000, bodyMs: 20_000, writeMs: 20_000, idleMs: 75_000 },
    })
    const { edge } = read({
      ...{ CONNECTIONS_PER_ADDRESS_MAX: '50', UNREAD_BYTES_MAX: '65536' },
      TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::5, loopback',
    })
    expect(edge).toMatchObject({ connectionsPerAddressMax: 50, countsOwnMachine: true })
    expect(edge.unreadBytesMax).toBe(65_536)
    expect(edge.trustedProxies).toEqual([
      ...['10.0.0.0/8', '2001:db8::5/128', '127.0.0.0/8', '::1/128'],
    ])
    expect(read({ TRUSTED_PROXIES: 'none' }).edge.trustedProxies).toEqual([])
  })

  it.each([
    ['CONNECTIONS_MAX', '9'],
    ['TRUSTED_PROXIES', 'proxy.example'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['UNREAD_BYTES_MAX', '4 GB'],
    ['UNREAD_BYTES_MAX', '1 KB'],
    ['HEAD_SECONDS', '0'],
    ['STREAMS_PER_PAYMENT_MAX', '0'],
    ['STREAM_AGE_SECONDS', '59'],
  ])('refuses an invalid value: %s=%s', (name, text) => {
    expect(refusals({ [name]: text })).toEqual([name])
  })

  it('takes the values of all settings', () => {
    const config = read({
      PORT: '0',
      HOST: '::1',
      PUBLIC_URL: 'https://pay.example/',
      SETTLEWIRE_HOME: '/var/lib/settlewire',
      DATABASE_URL: 'postgres://app:p%40ss@db.internal/settlewire',
      LOG_LEVEL: 'DEBUG',
      SHUTDOWN_SECONDS: '0',
      STREAM_HEARTBEAT_MS: '1000',
      SANDBOX_RPC_URL: 'ws://127.0.0.1:8545',
    })
    expect(config).toMatchObject({
      port: 0,
      host: '::1',
      home: '/var/lib/settlewire',
      databaseUrl: 'postgres://app:p%40ss@db.internal/settlewire',
      logLevel: 'debug',
      shutdownMs: 0,
      heartbeatMs: 1_000,
      sandbox: { rpcUrl: 'ws://127.0.0.1:8545', blockSeconds: 2 },
    })
    expect(config.publicUrl(4711)).toBe('https://pay.example')
  })

  it('reports every problem at once, each with its setting', () => {
    expect(
      refusals({ PORT: 'http', LOG_LEVEL: 'loud', SANDBOX: 'maybe', DATABASE_URL: '' }),
    ).toEqual(['PORT', 'DATABASE_URL', 'LOG_LEVEL', 'SANDBOX'])
  })

  it('never repeats a value in an error, because it may be a secret', () => {
    const message = refusal({
      DATABASE_URL: 'postgres://:hunter2@/',
      SANDBOX_RPC_URL: 'http://key-abc@node',
    })
    expect(message).not.toMatch(/hunter2|key-abc/)
  })

  it.each([
    ['-1', '65536', '1e3', '80.5', ' 80', '0x50', '٣'].map((port) => ({ PORT: port })),
    [{ HOST: 'a b' }, { HOST: 'a/b' }],
    [{ PUBLIC_URL: 'pay.example' }, { PUBLIC_URL: 'ftp://pay.example' }],
    [{ PUBLIC_URL: 'https://pay.example/shop' }, { PUBLIC_URL: 'https://a:b@pay.example' }],
    [{ STREAM_HEARTBEAT_MS: '999' }, { STREAM_HEARTBEAT_MS: '60001' }],
    [{ SANDBOX_RPC_URL: 'http://127.0.0.1:8545' }, { SANDBOX_BLOCK_SECONDS: '0' }],
    [{ SANDBOX: '' }, { LOG_LEVEL: '' }],
  ])('refuses an invalid value of a setting (%#)', (...cases) => {
    for (const env of cases) expect(refusals(env)).toEqual(Object.keys(env))
  })

  describe('of the database', () => {
    it.each([
      ['set but empty', '', 'empty'],
      ['not a URL', 'localhost', 'postgres:// URL'],
      ['of another scheme', 'mysql://a:b@c/d', 'postgres:// URL'],
      ['without a user', 'postgres://db/settlewire', 'a user'],
      ['without a database', 'postgres://app:x@db', 'a database name'],
      ['without host, user and database', 'postgres://', 'a host'],
    ])('is refused when its URL is %s', (_, url, word) => {
      expect(refusal({ DATABASE_URL: url })).toContain(word)
    })

    it('may name a socket directory', () => {
      const url = 'postgres://app@localhost/settlewire?host=/run/postgresql'
      expect(read({ DATABASE_URL: url }).databaseUrl).toBe(url)
    })

    it('does not fall back to embedded while PG variables name another database', () => {
      expect(refusals({ PGHOST: 'db', PGUSER: 'app' })).toEqual(['PGHOST', 'PGUSER'])
      expect(read({ PGHOST: 'db', DATABASE_URL: 'embedded' }).databaseUrl).toBeNull()
    })

    it('never combines a URL with PG variables', () => {
      const url = 'postgres://app@db/settlewire'
      expect(refusals({ DATABASE_URL: url, PGPASSWORD: 'x', PGPORT: '1' })).toEqual([
        'PGPORT',
        'PGPASSWORD',
      ])
      expect(refusals({ DATABASE_URL: url, PGHOST: 'other', PGUSER: 'other' })).toEqual([])
    })
  })

  it('opens the sandbox to other machines only with SANDBOX_ALLOW_REMOTE, and warns', () => {
    expect(refusals({ HOST: '0.0.0.0' })).toEqual(['HOST'])
    expect(refusals({ HOST: '127.0.0.1.evil.example' })).toEqual(['HOST'])
    expect(read({ HOST: '0.0.0.0', SANDBOX: 'off' }).warnings).toEqual([])
    const open = read({ HOST: '0.0.0.0', SANDBOX_ALLOW_REMOTE: 'on' })
    expect(open.warnings).toHaveLength(1)
    expect(open.publicUrl(80)).toBe('http://localhost:80')
  })

  it('warns that REDIS_URL is not used yet', () => {
    expect(read({ REDIS_URL: 'redis://localhost' }).warnings).toEqual([
      'REDIS_URL is set but not used by this version.',
    ])
    expect(refusals({ REDIS_URL: 'localhost:6379' })).toEqual(['REDIS_URL'])
  })

  it('ignores the settings of the command line client', () => {
    expect(refusals({ SETTLEWIRE_URL: 'http://127.0.0.1:8080', SETTLEWIRE_KEY: 'x' })).toEqual([])
  })

  it('refuses a setting that would have no effect', () => {
    expect(refusals({ SETTLEWIRE_HOMES: '/x' })).toEqual(['SETTLEWIRE_HOMES'])
    expect(refusals({ SANDBOX: 'off', SANDBOX_RPC_URL: 'ws://x' })).toEqual(['SANDBOX_RPC_URL'])
    expect(refusals({ SANDBOX_RPC_URL: 'ws://x', SANDBOX_BLOCK_SECONDS: '1' })).toEqual([
      'SANDBOX_BLOCK_SECONDS',
    ])
  })

  it('has a description of every setting', () => {
    expect(settings.map((setting) => setting.name)).toContain('PORT')
    for (const setting of settings) expect(setting.means).toMatch(/\.$/)
  })
})
