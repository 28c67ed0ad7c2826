import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import { LoopTurns } from './turns.ts'

/** An event loop whose rounds the test runs. */
class Loop {
  #now = 1_000
  #calls: (() => void)[] = []

  now(): number {
    return this.#now
  }

  soon(call: () => void): void {
    this.#calls.push(call)
  }

  pass(ms: number): void {
    this.#now += ms
  }

  /** Runs what was scheduled before, and the promises that it starts. False if there was nothing. */
  async round(): Promise<boolean> {
    const calls = this.#calls
    this.#calls = []
    for (const call of calls) {
      call()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return calls.length > 0
  }
}

/** `LoopTurns` without time left in this round, so that further tasks wait. */
function beginBusy() {
  const loop = new Loop()
  const turns = new LoopTurns(loop)
  turns.run(() => loop.pass(5))
  return { loop, turns, done: [] as number[] }
}

/** How many tasks were done after each round of the loop, until there are no more. */
async function counts(loop: Loop, done: readonly number[]): Promise<readonly number[]> {
  const seen: number[] = []
  while (await loop.round()) seen.push(done.length)
  return seen
}

it('tasks run at once while there is time in the round, then in order in later rounds', async () => {
  const loop = new Loop()
  const turns = new LoopTurns(loop)
  const done: number[] = []
  for (let task = 1; task <= 7; task++) {
    turns.run(() => {
      done.push(task)
      loop.pass(2)
    })
  }
  expect(done).toEqual([1, 2, 3])
  expect(await counts(loop, done)).toEqual([6, 7])
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
})

it('a task added by a running task runs after those that already wait', async () => {
  const { loop, turns } = beginBusy()
  const done: string[] = []
  turns.run(() => {
    done.push('first')
    turns.run(() => done.push('third'))
  })
  turns.run(() => done.push('second'))
  expect(done).toEqual([])
  await loop.round()
  expect(done).toEqual(['first', 'second', 'third'])
})

it('a round runs at most four waiting tasks, each with the promises that it starts', async () => {
  const { loop, turns, done } = beginBusy()
  const answer = (task: number) => async (): Promise<void> => {
    await Promise.resolve()
    await Promise.resolve()
    done.push(task)
  }
  for (let task = 1; task <= 10; task++) turns.run(answer(task))
  expect(await counts(loop, done)).toEqual([4, 8, 10])
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

it("a round's time includes the promises that its tasks start", async () => {
  const { loop, turns, done } = beginBusy()
  const answer = (task: number) => async (): Promise<void> => {
    await Promise.resolve()
    done.push(task)
    loop.pass(3)
  }
  for (let task = 1; task <= 6; task++) turns.run(answer(task))
  expect(await counts(loop, done)).toEqual([2, 4, 6])
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
})

it('tasks wait while connections come, one of them for at most 50 ms', async () => {
  const { loop, turns, done } = beginBusy()
  for (let task = 1; task <= 4; task++) turns.run(() => done.push(task))
  const ranAtMs: number[] = []
  for (let ms = 0; ms < 170; ms++) {
    turns.connectionAccepted()
    const before = done.length
    await loop.round()
    if (done.length > before) ranAtMs.push(ms)
    loop.pass(1)
  }
  // No task ran before the first one, so it does not wait.
  expect(ranAtMs).toEqual([0, 50, 100, 150])
  expect(done).toEqual([1, 2, 3, 4])
})

it('tasks continue with the first round without a connection', async () => {
  const { loop, turns, done } = beginBusy()
  for (let task = 1; task <= 9; task++) turns.run(() => done.push(task))
  await loop.round()
  turns.connectionAccepted()
  await loop.round()
  expect(done.length).toBe(4)
  expect(await counts(loop, done)).toEqual([8, 9])
})

it('between two rounds of tasks the loop takes new connections, also when the tasks leave it no idle time', async () => {
  const turns = new LoopTurns(systemClock)
  const order: string[] = []
  const busy = (ms: number): void => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
  const server = createServer((socket) => {
    order.push('connection')
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  turns.run(() => busy(6))
  const ended = new Promise<void>((resolve) => {
    for (let task = 1; task <= 200; task++) {
      turns.run(() => {
        busy(3)
        order.push('task')
        if (task === 200) resolve()
      })
    }
  })
  const client = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  await ended
  client.destroy()
  server.close()
  const tasksBefore = order.indexOf('connection')
  expect(tasksBefore).toBeGreaterThanOrEqual(0)
  expect(tasksBefore).toBeLessThan(100)
})

it('a task of runFirst runs before the tasks that wait, which get every other turn', async () => {
  const { loop, turns } = beginBusy()
  const done: string[] = []
  for (let task = 1; task <= 4; task++) turns.run(() => void done.push(`later ${task}`))
  for (let task = 1; task <= 3; task++) turns.runFirst(() => void done.push(`first ${task}`))
  while (await loop.round());
  expect(done).toEqual([
    ...['first 1', 'later 1', 'first 2', 'later 2', 'first 3', 'later 3', 'later 4'],
  ])
})

it('a task of runFirst runs at once while there is time in the round, also beside waiting tasks', async () => {
  const loop = new Loop()
  const turns = new LoopTurns(loop)
  const done: string[] = []
  turns.runFirst(() => done.push('at once'))
  expect(done).toEqual(['at once'])
  turns.run(() => loop.pass(5))
  turns.run(() => done.push('waits'))
  turns.runFirst(() => done.push('waits less'))
  expect(done).toEqual(['at once'])
  while (await loop.round());
  expect(done).toEqual(['at once', 'waits less', 'waits'])
})

it('a task runs after rounds that had no task', async () => {
  const loop = new Loop()
  const turns = new LoopTurns(loop)
  let ran = 0
  for (let round = 1; round <= 3; round++) {
    turns.run(() => {
      ran++
      loop.pass(5)
    })
    turns.run(() => ran++)
    while (await loop.round());
    expect(ran).toBe(2 * round)
  }
})
