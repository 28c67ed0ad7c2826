import { describe, expect, it } from 'vitest'
import { type Input, inputs, next, type State, states, table } from './stream-state.ts'

const cells = states.flatMap((state) =>
  inputs.map((input) => ({ state, input, ...next(state, input) })),
)
const running = states.filter((state) => state !== 'idle' && state !== 'ended')
const describeCell = ({ state, input, to, action }: (typeof cells)[number]) =>
  `${state} + ${input} -> ${to}, ${action}`

describe('the connection table', () => {
  it('has a cell for every input in every state', () => {
    for (const state of states) {
      expect(Object.keys(table[state]).sort()).toEqual([...inputs].sort())
    }
    expect(cells).toHaveLength(states.length * inputs.length)
  })

  it('reaches current only by a proof, and leaves it on every sign of doubt', () => {
    const proof: readonly Input[] = ['event', 'heartbeat']
    const doubt: readonly Input[] = [
      'behind',
      'reset',
      'silence',
      'slept',
      'failed',
      'closed',
      'offline',
      'frozen',
      'restored',
    ]
    for (const cell of cells.filter((one) => one.to === 'current')) {
      expect(cell.state === 'current' || proof.includes(cell.input), describeCell(cell)).toBe(true)
    }
    for (const input of doubt) {
      expect(next('current', input).to, input).not.toBe('current')
    }
  })

  it('reaches fallback only by an answered request', () => {
    for (const cell of cells.filter((one) => one.to === 'fallback' && one.state !== 'fallback')) {
      expect(cell.input, describeCell(cell)).toBe('answered')
    }
    for (const input of ['behind', 'failed', 'closed', 'silence', 'slept', 'offline'] as const) {
      expect(next('fallback', input).to, input).not.toBe('fallback')
    }
  })

  it('ends the watch and closes the connection when the payment ends, the server refuses, or the caller stops', () => {
    for (const state of running) {
      for (const input of ['finished', 'refused', 'stop'] as const) {
        expect(next(state, input)).toEqual({ to: 'ended', action: 'close' })
      }
    }
    for (const cell of cells.filter((one) => one.to === 'ended' && one.state !== 'ended')) {
      expect(cell.action, describeCell(cell)).toBe('close')
    }
  })

  it('does nothing after it has ended', () => {
    for (const input of inputs)
      expect(next('ended', input)).toEqual({ to: 'ended', action: 'none' })
  })

  it('does nothing before it is started', () => {
    for (const input of inputs.filter((one) => one !== 'start' && one !== 'stop')) {
      expect(next('idle', input)).toEqual({ to: 'idle', action: 'none' })
    }
  })

  it('runs or schedules a next attempt whenever it becomes stale or reconnecting', () => {
    const leadsOn = ['connect', 'schedule', 'again', 'forget']
    for (const cell of cells) {
      const lost = cell.to === 'stale' || cell.to === 'reconnecting'
      if (lost && cell.to !== cell.state) {
        expect(leadsOn, describeCell(cell)).toContain(cell.action)
      }
    }
    for (const state of ['connecting', 'stale', 'reconnecting', 'fallback'] as const) {
      expect(next(state, 'due').action, state).toBe('connect')
      expect(['schedule'], state).toContain(next(state, 'failed').action)
    }
  })

  it('drops its attempt when offline or frozen, and connects at once when that ends', () => {
    for (const state of running) {
      for (const gone of ['offline', 'frozen'] as const) {
        expect(next(state, gone).to, `${state} ${gone}`).toBe('paused')
        if (state !== 'paused') expect(next(state, gone).action).toBe('pause')
      }
    }
    for (const back of ['online', 'visible', 'restored', 'slept'] as const) {
      expect(next('paused', back), back).toEqual({ to: 'reconnecting', action: 'connect' })
    }
  })

  it('ignores inputs of a connection while paused', () => {
    for (const input of [
      'opened',
      'event',
      'heartbeat',
      'behind',
      'reset',
      'failed',
      'due',
    ] as const) {
      expect(next('paused', input), input).toEqual({ to: 'paused', action: 'none' })
    }
  })

  it('schedules a retry after a fault and never connects at once', () => {
    const faults: readonly Input[] = ['failed', 'closed', 'silence', 'behind']
    for (const cell of cells.filter((one) => faults.includes(one.input))) {
      expect(cell.action, describeCell(cell)).not.toBe('connect')
    }
  })

  it('can reach every state, and can be stopped in every state', () => {
    const reached = new Set<State>(['idle'])
    for (let before = 0; before !== reached.size; ) {
      before = reached.size
      for (const cell of cells) if (reached.has(cell.state)) reached.add(cell.to)
    }
    expect([...reached].sort()).toEqual([...states].sort())
    for (const state of states) expect(next(state, 'stop').to).toBe('ended')
  })
})
