import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { Payer } from '../support/e2e/payer.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type RpcRelay, startRpcRelay } from '../support/evm/rpc-relay.ts'
import { queryAs, type TestDatabase, testDatabase } from '../support/postgres.ts'
import { programEnv } from '../support/program-env.ts'

const full = 150_000_000n
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const hasSucceeded = ({ status }: PaymentIntent): boolean => status === 'succeeded'

/** One process, a merchant's program that uses it, and its data directory. */
interface Node {
  readonly server: ServerProcess
  readonly merchant: MerchantProgram
  readonly payer: Payer
}

/** While `isUp`, the provider does not show this block, so a rescan cannot go beyond it. */
const wall = { block: 200, isUp: false }

let anvil: Anvil
let relay: RpcRelay
let database: TestDatabase
let home: ReturnType<typeof temporaryHome>
const homes: ReturnType<typeof temporaryHome>[] = []
const servers: ServerProcess[] = []

async function startNode(
  at = home,
  where: NodeJS.ProcessEnv = { DATABASE_URL: database.url },
): Promise<Node> {
  const server = await startServer({
    home: at.path,
    env: { SANDBOX_RPC_URL: relay.wsUrl, ...where },
  })
  servers.push(server)
  const { sandbox, url } = server
  return { server, merchant: new MerchantProgram(url, sandbox), payer: new Payer(sandbox) }
}

/** A data directory with the same pepper and merchant. */
function secondHome(): ReturnType<typeof temporaryHome> {
  const other = temporaryHome()
  for (const file of ['pepper', 'demo.json'])
    copyFileSync(join(home.path, file), join(other.path, file))
  homes.push(other)
  return other
}

interface Block {
  readonly number: string
  readonly hash: string
  readonly parentHash: string
  readonly timestamp: string
}

/** Moves the cursor to the latest block, as if the blocks before it were passed unread. */
async function passBlocks(payer: Payer): Promise<void> {
  const block = await payer.rpc<Block>('eth_getBlockByNumber', ['latest', false])
  const number = Number(block.number)
  await queryAs(
    database.url,
    `update chain_cursor set head = ${number}, view = view + 1;
     delete from chain_block;
     insert into chain_block (chain, hash, number, parent_hash, mined_at) values
       ('local', '${block.hash}', ${number}, '${block.parentHash}',
        to_timestamp(${Number(block.timestamp)}))`,
  )
}

/** Pays while no server runs, and moves the cursor past the blocks of the payment. */
async function payUnseen(node: Node, intents: readonly PaymentIntent[], blocks = 3): Promise<Node> {
  await node.server.stop()
  const hashes = await Promise.all(intents.map((intent) => node.payer.send(intent, full)))
  for (const hash of hashes) {
    while ((await node.payer.rpc('eth_getTransactionReceipt', [hash])) === null) await sleep(50)
  }
  // A server reads the newest block again at its start, so mine more.
  await node.payer.mine(blocks)
  await passBlocks(node.payer)
  return startNode()
}

/** Runs `settlewire rescan …`. `heard` is called with its whole output after each chunk. */
async function rescan(
  args: readonly string[],
  heard: (output: string, end: (signal: NodeJS.Signals) => void) => void = () => undefined,
  where: NodeJS.ProcessEnv = { DATABASE_URL: database.url },
): Promise<{ code: unknown; output: string }> {
  const program = join(import.meta.dirname, '../../cli/src/main.ts')
  const child = spawn(process.execPath, [program, 'rescan', ...args], {
    env: { ...programEnv(), SETTLEWIRE_HOME: home.path, ...where },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk)
      heard(output, (signal) => void child.kill(signal))
    })
  }
  const [code]: readonly unknown[] = await once(child, 'close')
  return { code, output }
}

const everything = ['--chain', 'local', '--from', '0']

beforeEach(async () => {
  home = temporaryHome()
  homes.push(home)
  const args = ['--block-time', '1', '--slots-in-an-epoch', '4']
  ;[anvil, database] = await Promise.all([startAnvil({ args }), testDatabase()])
  wall.isUp = false
  relay = await startRpcRelay(anvil.wsUrl, (method, [block]) => {
    return wall.isUp && method === 'eth_getBlockByNumber' && Number(block) === wall.block
  })
})
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.stop()
  await relay.close()
  await Promise.all([anvil.stop(), database.close()])
  for (const one of homes.splice(0)) one.remove()
})

describe('settlewire rescan', { timeout: 240_000 }, () => {
  it('finds money in blocks that were passed unread, and emits no event twice', async () => {
    const first = await startNode()
    const seen = await first.merchant.create(request)
    await first.payer.send(seen, full)
    await first.merchant.until(seen.id, hasSucceeded)
    const missed = await first.merchant.create(request)
    const { merchant } = await payUnseen(first, [missed])
    await merchant.until(missed.id, () => true)
    await sleep(3_000)
    expect(await merchant.get(missed.id)).toMatchObject({ status: 'awaiting' })

    const told = await rescan(everything)
    expect(told.output).toContain('Missing: 1 transfer of 1 payment.')
    expect(told.output).toContain(`  ${missed.id} 0x`)
    expect(told.code).toBe(0)
    expect(await merchant.until(missed.id, hasSucceeded)).toMatchObject({
      ...{ amountReceived: '150.00', flags: [] },
    })

    const before = await merchant.history(seen.id)
    const again = await rescan(everything)
    expect(again).toMatchObject({ code: 0 })
    expect(again.output).toContain('for 2 payments.\nMissing: 0 transfers of 0 payments.')
    expect(again.output).not.toContain('the history')
    expect(await merchant.history(seen.id)).toHaveLength(before.length)
    const history = await merchant.history(missed.id)
    const became = history.filter(
      ({ status, previousStatus }) => status === 'succeeded' && previousStatus !== status,
    )
    expect(became).toHaveLength(1)
  })

  it('adds late money to an expired payment whose watch has ended', async () => {
    const first = await startNode()
    const intent = await first.merchant.create({ ...request, expiresIn: 2 })
    await first.merchant.until(intent.id, ({ status }) => status === 'expired')
    // Ends its watch.
    await first.server.stop()
    await queryAs(database.url, 'update subject set due_at = null')
    const { merchant } = await payUnseen(first, [intent])

    const told = await rescan(['--payment', intent.id])
    expect(told.output).toContain('Missing: 1 transfer of 1 payment.')
    expect(told.code).toBe(0)
    const late = await merchant.until(intent.id, ({ flags }) => flags.includes('late'))
    expect(late).toMatchObject({ amountReceived: '150.00' })
    expect((await rescan(['--payment', intent.id])).output).toContain(
      'Missing: 0 transfers of 0 payments.',
    )
  })

  it('lists recorded money that is in no block, and takes nothing back', async () => {
    const { merchant, payer } = await startNode()
    const intent = await merchant.create(request)
    await payer.send(intent, full)
    await merchant.until(intent.id, hasSucceeded)
    await payer.mine(10)
    // A block of the set-up: the payment is in a later one.
    const number = 1
    await queryAs(
      database.url,
      `insert into inclusion select subject_id, chain, tx_hash, block_hash, ${number}, canonical, outcome
       from inclusion on conflict (subject_id, chain, tx_hash, block_hash)
       do update set block_number = ${number}`,
    )
    const told = await rescan(everything)
    expect(told.code).toBe(0)
    expect(told.output).toContain('In the history, but no provider shows them')
    expect(told.output).toMatch(new RegExp(`${intent.id} 0x[0-9a-f]{64} block ${number}`))
    expect(await merchant.get(intent.id)).toMatchObject({ status: 'succeeded', flags: [] })
  })

  it('continues on another process from the last finished part when the reading process is killed', async () => {
    const first = await startNode()
    const missed = await first.merchant.create(request)
    const leader = await payUnseen(first, [missed], 300)
    const standby = await startNode(secondHome())
    wall.isUp = true
    const told = await rescan(everything, (output) => {
      if (!/block 192 of 0 to/.test(output) || !wall.isUp) return
      void leader.server.kill9()
      wall.isUp = false
    })
    expect(wall.isUp).toBe(false)
    expect(told.output).toContain('Missing: 1 transfer of 1 payment.')
    expect(told.code).toBe(0)
    await standby.merchant.until(missed.id, hasSucceeded)
  })

  it('withdraws its request on Ctrl-C, and when no server follows the chain', async () => {
    const { server } = await payUnseen(await startNode(), [], 300)
    wall.isUp = true
    const interrupted = await rescan(everything, (output, end) => {
      if (output.includes('block')) end('SIGINT')
    })
    expect(interrupted).toMatchObject({ code: 130 })
    expect(interrupted.output).toContain('The request was withdrawn.')
    expect(await queryAs(database.url, 'select id from chain_rescan')).toEqual([])

    await server.stop()
    const alone = await rescan(everything)
    expect(alone).toMatchObject({ code: 1 })
    expect(alone.output).toContain('No server follows local: start one on this database')
    expect(await queryAs(database.url, 'select id from chain_rescan')).toEqual([])
  })

  it('starts a server of its own for the duration, on the embedded database', async () => {
    const { server, merchant, payer } = await startNode(home, {})
    const intent = await merchant.create(request)
    await payer.send(intent, full)
    await merchant.until(intent.id, hasSucceeded)
    const where = { SANDBOX_RPC_URL: relay.wsUrl, PORT: '0' }
    const refused = await rescan(everything, undefined, where)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toContain('home_in_use')

    await server.stop()
    const told = await rescan(everything, undefined, where)
    expect(told.output).toContain('for 1 payment.\nMissing: 0 transfers of 0 payments.')
    expect(told.code).toBe(0)
  })
})
