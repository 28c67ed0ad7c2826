import { describe, expect, it } from 'vitest'
import { type Input, inputs, next, type State, states, table } from './stream-state.ts'

const cells = states.flatMap((state) =>
  inputs.map((input) => ({ state, input, ...next(state, input) })),
)
const running = states.filter((state) => state !== 'idle' && state !== 'ended')
const describeCell = ({ state, input, to, action }: (typeof cells)[number]) =>
  `${state} + ${input} -> ${to}, ${action}`

describe('the connection table', () => {
  it('has a cell for everything that can happen anywhere', () => {
    for (const state of states) {
      expect(Object.keys(table[state]).sort()).toEqual([...inputs].sort())
    }
    expect(cells).toHaveLength(states.length * inputs.length)
  })

  it('says current on proof alone, and keeps it only while nothing speaks against it', () => {
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

  it('says fallback on an answer alone', () => {
    for (const cell of cells.filter((one) => one.to === 'fallback' && one.state !== 'fallback')) {
      expect(cell.input, describeCell(cell)).toBe('answered')
    }
    for (const input of ['behind', 'failed', 'closed', 'silence', 'slept', 'offline'] as const) {
      expect(next('fallback', input).to, input).not.toBe('fallback')
    }
  })

  it('ends and lets go of everything when the payment closes, when refused, and when stopped', () => {
    for (const state of running) {
      for (const input of ['finished', 'refused', 'stop'] as const) {
        expect(next(state, input)).toEqual({ to: 'ended', action: 'close' })
      }
    }
    for (const cell of cells.filter((one) => one.to === 'ended' && one.state !== 'ended')) {
      expect(cell.action, describeCell(cell)).toBe('close')
    }
  })

  it('never wakes up once it has ended', () => {
    for (const input of inputs)
      expect(next('ended', input)).toEqual({ to: 'ended', action: 'none' })
  })

  it('does nothing before it is started', () => {
    for (const input of inputs.filter((one) => one !== 'start' && one !== 'stop')) {
      expect(next('idle', input)).toEqual({ to: 'idle', action: 'none' })
    }
  })

  it('has a next attempt under way or planned whenever it is not current', () => {
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

  it('drops what runs when the device goes away, and tries at once when it comes back', () => {
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

  it('hears nothing from a connection that was dropped by a pause', () => {
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

  it('never turns a fault into an immediate retry: only a device that came back may', () => {
    const faults: readonly Input[] = ['failed', 'closed', 'silence', 'behind']
    for (const cell of cells.filter((one) => faults.includes(one.input))) {
      expect(cell.action, describeCell(cell)).not.toBe('connect')
    }
  })

  it('reaches every state, and from every state but the last an end', () => {
    const reached = new Set<State>(['idle'])
    for (let before = 0; before !== reached.size; ) {
      before = reached.size
      for (const cell of cells) if (reached.has(cell.state)) reached.add(cell.to)
    }
    expect([...reached].sort()).toEqual([...states].sort())
    for (const state of states) expect(next(state, 'stop').to).toBe('ended')
  })
})
