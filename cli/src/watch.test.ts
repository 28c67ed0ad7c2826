import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CliRun } from '../../test/support/cli-run.ts'
import { HttpWorld } from '../../test/support/http-world.ts'
import { exitCodes } from './exit-code.ts'

let world: HttpWorld
let home: string

beforeAll(async () => {
  world = await HttpWorld.start()
  home = await mkdtemp(join(tmpdir(), 'settlewire-watch-'))
  const sandbox = { url: world.url, secretKey: world.secretKey }
  await writeFile(join(home, 'sandbox.json'), JSON.stringify(sandbox))
})

afterAll(async () => {
  await world.close()
  await rm(home, { recursive: true, force: true })
})

const run = (...line: string[]) =>
  new CliRun([...line, '--sandbox', join(home, 'sandbox.json')], { cwd: home })
const watchOf = (id: string) => run('watch', id)
const lines = (text: string) => text.trimEnd().split('\n')

describe('settlewire watch', () => {
  it('follows a payment until its money is final, with a line for each event', async () => {
    const payment = await world.create()
    const watching = watchOf(payment.id)
    await watching.until(/created/)
    await world.pay(payment)
    await world.engine.mine()
    await world.engine.mine()
    await watching.until(/succeeded/)
    expect(watching.isRunning).toBe(true)
    for (let block = 0; block < 10; block++) await world.engine.mine()
    const { code, out, err } = await watching.ended()
    expect(code).toBe(exitCodes.done)
    const cells = lines(out).map((line) => line.trim().split(/\s{2,}/))
    expect(cells.map(([sequence, , type]) => [sequence, type])).toEqual([
      ['1', 'created'],
      ['2', 'confirming'],
      ['3', 'confirming'],
      ['4', 'succeeded'],
      ['5', 'finalized'],
    ])
    expect(lines(out).at(-1)).toMatch(/ succeeded .* finality final$/)
    for (const [, time] of cells) expect(time).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/)
    // Each line has its columns under the header; the header goes to stderr, not into the pipe.
    const [head = ''] = lines(err)
    expect(head).toMatch(/^ {2}# {2}time \(UTC\) +event +status +received +depth +details$/)
    for (const line of lines(out)) {
      expect(line.charAt(head.indexOf('event') - 1)).toBe(' ')
      expect(line.charAt(head.indexOf('status'))).toMatch(/[a-z]/)
    }
    expect(out).toContain('2/3')
    expect(lines(err).slice(1)).toEqual([expect.stringMatching(/^ {5}20\d\d-.{14} {2}live$/)])
  })

  it('says when the chain can no longer be seen, and when it is seen again', async () => {
    const { watcher } = world.engine.engine
    const { id } = await world.create()
    const watching = watchOf(id)
    await watching.until(/live/)
    const head = { chain: 'local', head: 7, headAt: null } as const
    const told = async (what: RegExp): Promise<void> => {
      while (!what.test(watching.err)) {
        await world.engine.clock.advance(1_000)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    watcher.health({ ...head, visibility: 'blind', reason: 'socket_down' })
    await told(/sight lost/)
    watcher.health({ ...head, visibility: 'ok', reason: null })
    await told(/seen again/)
    await run('cancel', id).ended()
    const { err } = await watching.ended()
    const moment = '20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d'
    const note = (text: string) => expect.stringMatching(new RegExp(`^ {5}${moment}  ${text}$`))
    expect(lines(err).slice(1)).toEqual([
      note('live'),
      note('sight lost +local was seen up to block \\d+; nothing expires meanwhile'),
      note('live +every chain can be seen again'),
    ])
  })

  it('says after a restart that the server did not answer, by which transport it goes on, and `live`', async () => {
    const { hostname, port } = new URL(world.url)
    const open = new Set<Socket>()
    const front = createServer((socket) => {
      const back = connect(Number(port), hostname)
      for (const one of [socket, back]) open.add(one.on('error', () => undefined))
      socket.pipe(back).pipe(socket)
    })
    await once(front.listen(0, '127.0.0.1'), 'listening')
    // A server that listens on a port has an address object.
    const address = front.address() as AddressInfo
    const { id } = await world.create()
    const file = join(home, 'front.json')
    const url = `http://127.0.0.1:${address.port}`
    await writeFile(file, JSON.stringify({ url, secretKey: world.secretKey }))
    const watching = new CliRun(['watch', id, '--sandbox', file], { cwd: home })
    await watching.until(/live/)
    const closed = once(front, 'close')
    front.close()
    for (const socket of open) socket.destroy()
    await closed
    await watching.until(/\(unreachable\)/)
    // The client tries a second time before it changes to polling.
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    await once(front.listen(address.port, '127.0.0.1'), 'listening')
    await watching.until(/until a stream works again[\s\S]* live/)
    watching.interrupt()
    await watching.ended()
    front.close()
    expect(watching.err).toMatch(
      / {2}(long-poll|poll) +the server did not answer; using \1 until a stream works again\n/,
    )
    expect(watching.err).not.toContain('blocked')
  }, 60_000)

  it('exits with unpaid when the payment closes without being paid', async () => {
    const { id } = await world.create()
    const watching = watchOf(id)
    await watching.until(/created/)
    await run('cancel', id).ended()
    expect((await watching.ended()).code).toBe(exitCodes.unpaid)
  })

  it('stops at Ctrl-C', async () => {
    const { id } = await world.create()
    const watching = watchOf(id)
    await watching.until(/created/)
    watching.interrupt()
    expect((await watching.ended()).code).toBe(exitCodes.interrupted)
  })
})
