import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../support/http-world.ts'

/** The ways through the code that ARCHITECTURE.md names are the ways that requests take. */
const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

interface Step {
  readonly file: string
  readonly name: string
}

function wayOf(title: string): readonly Step[] {
  const [, rest = ''] = text.split(`**${title}**`)
  const [list = ''] = rest.split(/\n(?:\*\*|## )/)
  return [...list.matchAll(/^\d+\. `([^`]+)` · `([^`]+)` ·/gm)].map(([, file = '', name = '']) => ({
    file,
    name,
  }))
}

let world: HttpWorld
const profiler = new Session()
beforeAll(async () => {
  world = await HttpWorld.start()
  profiler.connect()
  await profiler.post('Profiler.enable')
})
afterAll(async () => {
  profiler.disconnect()
  await world.close()
})

/** The functions that run during `work`, as `file name`. */
async function ranIn(work: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  await profiler.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await profiler.post('Profiler.takePreciseCoverage')
  await work()
  const { result } = await profiler.post('Profiler.takePreciseCoverage')
  await profiler.post('Profiler.stopPreciseCoverage')
  return new Set(
    result.flatMap(({ url, functions }) =>
      functions
        .filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
        .map(
          ({ functionName }) => `${url.slice(url.indexOf(root) + root.length + 1)} ${functionName}`,
        ),
    ),
  )
}

/** Functions that register a handler, which has no name and runs in their place. */
const registering: ReadonlySet<string> = new Set(['create', 'streamRoutes'])

function runs(ran: ReadonlySet<string>, { file, name }: Step): boolean {
  return ran.has(`${file} ${name}`) || (registering.has(name) && ran.has(`${file} `))
}

let created = 0
const create = async (): Promise<string> => {
  const answer = await world.ask('/v1/payment-intents', {
    body: { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] },
    headers: { 'idempotency-key': `create-${++created}` },
  })
  return answer.json.id
}

/** Follows a payment from its first event on, and resolves with all that the stream sends. */
async function resume(): Promise<string> {
  const path = `/v1/payment-intents/${await create()}`
  await world.ask(`${path}/cancel`, { body: {} })
  const { json } = await world.ask(`${path}/events`)
  const [first] = json.data
  const { text: sent } = await world.ask(`${path}/stream`, {
    headers: { accept: 'text/event-stream', 'last-event-id': first.id },
  })
  expect(sent).toContain('payment_intent.cancelled')
  return sent
}

describe.each([
  ['A create', 15, create],
  ['A stream that resumes', 8, resume],
] as const)('%s', (title, filesMax, request) => {
  const way = wayOf(title)

  it(`takes at most ${filesMax} files, none of them twice`, () => {
    const files = way.map(({ file }) => file)
    expect(files.length).toBeGreaterThan(1)
    expect(files.length).toBeLessThanOrEqual(filesMax)
    expect(new Set(files).size).toBe(files.length)
  })

  it('runs every named function', async () => {
    const ran = await ranIn(request)
    expect(way.filter((step) => !runs(ran, step))).toEqual([])
  })
})
