import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { ChainLevers } from './chain-levers.ts'
import { joinChain, type LocalChain, startLocalChain } from './local-chain.ts'
import { textOf } from './rpc.ts'

let home: string
let running: LocalChain[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-chain-'))
  running = []
})

afterEach(async () => {
  for (const chain of running) await chain.close()
  rmSync(home, { recursive: true, force: true })
})

async function start(blockSeconds = 60): Promise<LocalChain> {
  const chain = await startLocalChain({ home, clock: systemClock, log: silentLog, blockSeconds })
  running.push(chain)
  return chain
}

const receiver = `0x${'ab'.repeat(20)}`
const send = (chain: LocalChain): Promise<string> =>
  textOf(
    chain.call('eth_sendTransaction', [{ from: chain.accounts[0], to: receiver, value: '0x10' }]),
  )
const balance = (chain: LocalChain): Promise<string> =>
  textOf(chain.call('eth_getBalance', [receiver, 'latest']))
const blockHash = async (chain: LocalChain, number: string): Promise<unknown> => {
  const block = await chain.call('eth_getBlockByNumber', [number, false])
  return typeof block === 'object' && block !== null && 'hash' in block ? block.hash : null
}

describe('the local chain', () => {
  it('continues with the same blocks after a restart', async () => {
    const first = await start()
    await send(first)
    await first.call('evm_mine')
    const mined = await blockHash(first, '0x1')
    await first.close()
    const second = await start()
    expect(second.genesisHash).toBe(first.genesisHash)
    expect(await blockHash(second, '0x1')).toBe(mined)
    expect(await balance(second)).toBe('0x10')
  })

  it('is the same chain after several restarts, and its blocks have the current time', async () => {
    const first = await start()
    for (let restarts = 0; restarts < 3; restarts++) {
      await running.at(-1)?.close()
      await systemClock.sleep(1_100)
      const { genesisHash, call } = await start()
      expect(genesisHash).toBe(first.genesisHash)
      await call('evm_mine')
      const block = await call('eth_getBlockByNumber', ['latest', false])
      if (typeof block !== 'object' || block === null || !('timestamp' in block)) throw new Error()
      const minedAt = Number(block.timestamp) * 1_000
      expect(Math.abs(systemClock.now() - minedAt)).toBeLessThan(1_500)
    }
    await running.at(-1)?.close()
    const saved = JSON.parse(readFileSync(join(home, 'chain.json'), 'utf8'))
    const genesis = saved.blocks.filter((block: { header: { number: string } }) => {
      return BigInt(block.header.number) === 0n
    })
    expect(genesis).toHaveLength(1)
  })

  it('refuses a reorg of blocks from before its restart', async () => {
    const first = await start()
    await first.call('anvil_mine', ['0x8'])
    await first.close()
    const { call } = await start()
    const levers = new ChainLevers(call)
    await levers.mine(2)
    const before = await levers.head()
    await expect(levers.reorg(5, false)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await levers.head()).toEqual(before)
    expect((await levers.reorg(2, false)).head).toBe(before.head)
  })

  it('mines pending transactions before it closes, because the mempool is not saved', async () => {
    const first = await start()
    await send(first)
    await first.close()
    expect(await balance(await start())).toBe('0x10')
  })

  it('keeps transactions that were broadcast before its server was killed with SIGKILL', async () => {
    const server = spawn(process.execPath, ['--input-type=module', '-e', serverScript, home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(server.stdout, 'data')
    const { genesisHash } = JSON.parse(String(line))
    server.kill('SIGKILL')
    await once(server, 'exit')
    const startedAt = systemClock.now()
    const next = await start()
    expect(systemClock.now() - startedAt).toBeLessThan(2_500)
    expect(next.genesisHash).toBe(genesisHash)
    expect(await balance(next)).toBe('0x10')
  })

  it('mines a last block, saves and exits when its server is killed', async () => {
    const server = spawn(process.execPath, ['--input-type=module', '-e', serverScript, home, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(server.stdout, 'data')
    const { httpUrl } = JSON.parse(String(line))
    server.kill('SIGKILL')
    const answers = (): Promise<boolean> =>
      fetch(httpUrl).then(
        () => true,
        () => false,
      )
    for (let tries = 0; tries < 400 && (await answers()); tries++) await systemClock.sleep(25)
    expect(await answers()).toBe(false)
    expect(await balance(await start())).toBe('0x10')
  })

  it('uses another port if the well-known one is taken', async () => {
    const taken = createServer().listen(8545, '127.0.0.1')
    // Another program may have the port, which serves the test as well.
    taken.on('error', () => undefined)
    const chain = await start()
    expect(chain.httpUrl).not.toContain(':8545')
    expect(chain.takenPort).toBe(8545)
    taken.close()
  })

  it('loads the state that the previous start began with if chain.json is incomplete', async () => {
    const first = await start()
    await send(first)
    await first.close()
    await (await start()).close()
    writeFileSync(join(home, 'chain.json'), '{"block":{"num')
    const third = await start()
    expect(third.genesisHash).toBe(first.genesisHash)
    expect(await balance(third)).toBe('0x10')
  })

  it('fails with chain_unavailable if its file is incomplete without an older one', async () => {
    await (await start()).close()
    writeFileSync(join(home, 'chain.json'), '{"block":{"num')
    await expect(start()).rejects.toMatchObject({ code: 'chain_unavailable' })
    expect(existsSync(join(home, 'chain.running.json'))).toBe(false)
  })

  /** Kills the chain with SIGKILL, so that it cannot save its state. */
  const kill9 = async (chain: LocalChain): Promise<void> => {
    const { pid } = JSON.parse(readFileSync(join(home, 'chain.running.json'), 'utf8'))
    process.kill(Number(pid), 'SIGKILL')
    await chain.exited
  }

  it('is the same chain after it was killed before it could save its state', async () => {
    const first = await start()
    await kill9(first)
    await first.close()
    expect((await start()).genesisHash).toBe(first.genesisHash)
  })

  it('begins again if it was killed before the server could follow it', async () => {
    writeFileSync(join(home, 'chain.json'), '{"block":{"num')
    expect(await blockHash(await start(), '0x0')).not.toBeNull()
  })

  it('loads the file that it wrote on exit only if that is complete', async () => {
    const first = await start()
    await send(first)
    await first.call('evm_mine')
    await first.save()
    await kill9(first)
    await first.close()
    // A kill during the write leaves such a file.
    const whole = readFileSync(join(home, 'chain.json'), 'utf8')
    writeFileSync(join(home, 'chain.live.json'), whole.slice(0, whole.length / 2))
    const second = await start()
    expect(await balance(second)).toBe('0x10')
    expect(existsSync(join(home, 'chain.live.json'))).toBe(false)
  })

  it('keeps all saved blocks after kills at any moment of a save', async () => {
    const first = await start()
    // Long enough for a save to take a while.
    for (let more = 0; more < 8; more++) await first.call('anvil_mine', ['0x80'])
    await first.save()
    let chain = first
    for (let round = 0; round < 8; round++) {
      await chain.call('anvil_mine', ['0x10'])
      await chain.save()
      const kept = await blockHash(chain, 'latest')
      const number = await textOf(chain.call('eth_blockNumber'))
      await chain.call('anvil_mine', ['0x10'])
      const { pid } = JSON.parse(readFileSync(join(home, 'chain.running.json'), 'utf8'))
      // Half of the kills during our own save, the other half while anvil writes its file on exit.
      const saving = round % 2 === 0 ? chain.save().catch(() => undefined) : undefined
      if (saving === undefined) process.kill(pid, 'SIGTERM')
      await systemClock.sleep(Math.random() * 120)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has already exited, after saving everything.
      }
      await saving
      await chain.close()
      chain = await start()
      expect(await blockHash(chain, number)).toBe(kept)
    }
  }, 60_000)

  it('refuses to begin again if the files of a chain with a history are missing', async () => {
    await (await start()).close()
    for (const name of ['chain.json', 'chain.before.json'])
      rmSync(join(home, name), { force: true })
    await expect(start()).rejects.toMatchObject({ code: 'invalid_config' })
  })

  it('can be joined by URL, and continues when the guest leaves', async () => {
    const host = await start()
    const guest = await joinChain(host.wsUrl)
    expect(guest).toMatchObject({ chainId: 31337, genesisHash: host.genesisHash })
    await guest.close()
    expect(await textOf(host.call('eth_blockNumber'))).toBe('0x0')
    await expect(joinChain('ws://127.0.0.1:1')).rejects.toMatchObject({ code: 'chain_unavailable' })
  })
})

const serverScript = `
const [home, blockSeconds] = process.argv.slice(1)
const { startLocalChain } = await import(${JSON.stringify(here('./local-chain.ts'))})
const { systemClock } = await import(${JSON.stringify(here('../clock.ts'))})
const { silentLog } = await import(${JSON.stringify(here('../log.ts'))})
const chain = await startLocalChain(
  { home, clock: systemClock, log: silentLog, blockSeconds: Number(blockSeconds ?? 60) })
await chain.call('eth_sendTransaction',
  [{ from: chain.accounts[0], to: ${JSON.stringify(receiver)}, value: '0x10' }])
console.log(JSON.stringify({ genesisHash: chain.genesisHash, httpUrl: chain.httpUrl }))
setInterval(() => {}, 1000)
`

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
