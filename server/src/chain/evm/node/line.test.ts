import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../../test/support/manual-clock.ts'
import { isRefusal, type WireAnswer } from './answer.ts'
import type { RpcWire } from './connection.ts'
import { defaultLimits, type FollowerLimits } from './limits.ts'
import { RequestLine } from './line.ts'

const refused: WireAnswer = { refused: { code: -32005, message: '', againInMs: null } }

/** A wire on which the test answers each question by hand, or by a rule. */
class HandWire implements RpcWire {
  readonly asked: string[] = []
  readonly answers: ((answer: WireAnswer) => void)[] = []
  readonly #over = Promise.withResolvers<'lost'>()
  open = true
  rule: ((method: string) => WireAnswer) | null = null
  get closed() {
    return this.#over.promise
  }
  ask(method: string): Promise<WireAnswer> {
    this.asked.push(method)
    const { rule } = this
    if (rule !== null) return Promise.resolve(rule(method))
    return new Promise((resolve) => this.answers.push(resolve))
  }
  subscribe: RpcWire['subscribe'] = async ([what]) => {
    const answer = await this.ask(`subscribe ${what}`)
    return 'result' in answer ? { result: () => undefined } : answer
  }
  drop(): void {
    this.open = false
    this.#over.resolve('lost')
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

function open(limits: Partial<FollowerLimits> = {}) {
  const clock = new ManualClock()
  const line = new RequestLine({ clock, limits: { ...defaultLimits, ...limits } })
  const wire = new HandWire()
  /** Moves the clock in small steps, so that each answer arrives at its time. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      await clock.advance(10)
      await settled()
    }
  }
  return { clock, line, wire, pass, ...line.over(wire) }
}

describe('the line of a provider', () => {
  it('limits the questions in flight and in line, and refuses further ones', async () => {
    const { wire, now } = open({ inFlightMax: 2, waitingMax: 3 })
    const asked = Array.from({ length: 5 }, () => now.ask('a', []))
    await expect(now.ask('b', [])).rejects.toMatchObject({ code: 'chain_unavailable' })
    expect(wire.asked).toHaveLength(2)
    while (wire.answers.length > 0) {
      wire.answers.shift()?.({ result: 1 })
      await settled()
    }
    expect(await Promise.all(asked)).toHaveLength(5)
  })

  it('sends urgent questions first, and drops the oldest `later` question when it is full', async () => {
    const { wire, now, later } = open({ inFlightMax: 1, waitingMax: 3 })
    const lost = [later, later].map((view, at) => view.ask(`later ${at}`, []).catch(() => 'lost'))
    for (const what of ['1', '2']) void now.ask(what, [])
    void later.ask('last', [])
    for (let times = 0; times < 4; times++) {
      wire.answers.shift()?.({ result: 1 })
      await settled()
    }
    expect(wire.asked).toEqual(['later 0', '1', '2', 'last'])
    expect(await Promise.all(lost)).toEqual([{ result: 1 }, 'lost'])
  })

  it('retries a refused question, so the caller sees only the answer', async () => {
    const { wire, now, pass } = open()
    let refusals = 2
    wire.rule = () => (refusals-- > 0 ? refused : { result: 'yes' })
    const asked = now.ask('a', [])
    await pass(1_000)
    expect(await asked).toEqual({ result: 'yes' })
    expect(wire.asked).toHaveLength(3)
  })

  it('fails a question that is refused for too long as refused, not as unknown', async () => {
    const { wire, now, pass } = open()
    wire.rule = () => refused
    const asked = now.ask('a', []).catch((error: unknown) => error)
    await pass(5_000)
    expect(isRefusal(await asked)).toBe(true)
    expect(wire.asked.length).toBeGreaterThan(2)
    expect(wire.open).toBe(true)
  })

  it('does not retry a subscription or a tag, since their callers do', async () => {
    const { wire, now, pass } = open()
    wire.rule = () => refused
    await expect(now.subscribe(['newHeads'], () => undefined)).rejects.toSatisfy(isRefusal)
    const tag = now.ask('eth_getBlockByNumber', ['finalized', false])
    const said = tag.catch((error: unknown) => error)
    await pass(3_000)
    expect(isRefusal(await said)).toBe(true)
    expect(wire.asked).toHaveLength(2)
  })

  it('remembers that a node lacks an optional method, and seldom asks again', async () => {
    const { wire, clock, now } = open({ unsupportedForMs: 1_000 })
    wire.rule = () => ({ declined: { kind: 'unsupported', code: -32601, message: '' } })
    for (const method of ['trace_block', 'trace_block', 'eth_getLogs', 'eth_getLogs']) {
      expect(await now.ask(method, [])).toHaveProperty('declined')
    }
    expect(wire.asked).toEqual(['trace_block', 'eth_getLogs', 'eth_getLogs'])
    await clock.advance(1_000)
    await now.ask('trace_block', [])
    expect(wire.asked).toHaveLength(4)
  })

  it('lowers its rate to what a provider accepts, and raises it when the provider accepts more', async () => {
    const { line, wire, now, clock, pass } = open()
    let bears = 40
    let second = -1
    let inSecond = 0
    wire.rule = () => {
      const at = Math.floor(clock.now() / 1_000)
      inSecond = at === second ? inSecond + 1 : 1
      second = at
      return inSecond > bears ? refused : { result: 1 }
    }
    let answered = 0
    const ask = (): void => {
      now.ask('a', []).then(
        () => {
          answered++
          ask()
        },
        () => ask(),
      )
    }
    expect(line.perSecond).toBeNull()
    for (let worker = 0; worker < 20; worker++) ask()
    await pass(5_000)
    answered = 0
    wire.asked.length = 0
    await pass(10_000)
    // It uses most of the rate that the provider accepts, and is seldom refused.
    expect(answered).toBeGreaterThan(10 * bears * 0.6)
    expect(wire.asked.length - answered).toBeLessThan(answered * 0.1)
    bears = 400
    await pass(60_000)
    expect(line.perSecond ?? Number.POSITIVE_INFINITY).toBeGreaterThan(100)
  })

  it('asks nothing before the time that the node set for the next try', async () => {
    const { wire, now, pass } = open({ refusedWithinMs: 60_000 })
    wire.rule = () => ({ refused: { code: 429, message: '', againInMs: 3_000 } })
    now.ask('a', []).catch(() => undefined)
    await settled()
    wire.rule = () => ({ result: 1 })
    const other = now.ask('b', [])
    await pass(2_900)
    expect(wire.asked).toEqual(['a'])
    await pass(1_500)
    await other
    expect(wire.asked.toSorted()).toEqual(['a', 'a', 'b'])
  })

  it('fails the questions that wait for an ended connection', async () => {
    const { wire, now } = open({ inFlightMax: 1 })
    const [, waiting] = [now.ask('a', []), now.ask('b', [])]
    wire.drop()
    await expect(waiting).rejects.toMatchObject({ code: 'chain_unavailable' })
  })
})
