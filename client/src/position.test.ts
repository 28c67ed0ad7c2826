import type { EventData } from '@settlewire/core/payment/event'
import { expect, it } from 'vitest'
import { Position } from './position.ts'

const event = (sequence: number) => ({
  id: `evt_${sequence}`,
  type: 'payment_intent.updated',
  data: { sequence } as EventData, // nothing else is read
})

function walk(position: Position, sequences: readonly number[]): readonly string[] {
  position.begin()
  return sequences.map((sequence) => position.take(event(sequence)))
}

it('Position: takes the first event of a new stream as the state, at any sequence', () => {
  const position = new Position()
  expect(walk(position, [4, 5, 6])).toEqual(['state', 'next', 'next'])
  expect(position.eventId).toBe('evt_6')
})

it('Position: takes each event only once, however often it arrives', () => {
  expect(walk(new Position(), [1, 1, 2, 1, 2, 3])).toEqual([
    'next',
    'known',
    'next',
    'old',
    'known',
    'next',
  ])
})

it('Position: can resume from the initial sequence once the event with it arrives', () => {
  const position = new Position({ sequence: 3 })
  expect(position.eventId).toBeNull()
  expect(walk(position, [3, 4])).toEqual(['known', 'next'])
  expect(position.eventId).toBe('evt_4')
})

it('Position: does not skip a gap, not even after resuming', () => {
  const position = new Position()
  expect(walk(position, [1, 2, 4])).toEqual(['next', 'next', 'gap'])
  expect(position.sequence).toBe(2)
  expect(walk(position, [4])).toEqual(['gap'])
  expect(walk(position, [3, 4])).toEqual(['next', 'next'])
})

it('Position: takes the state when the same gap comes back three times', () => {
  const position = new Position()
  walk(position, [1])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(position.eventId).toBeNull()
  expect(walk(position, [3])).toEqual(['state'])
})

it('Position: takes the state after a reset, but never an older one', () => {
  const position = new Position()
  walk(position, [5])
  position.forget()
  expect(position.eventId).toBeNull()
  expect(position.take(event(4))).toBe('old')
  expect(position.take(event(8))).toBe('state')
})

it('Position: never resumes if only the newest state is wanted', () => {
  const position = new Position({ resumes: false })
  expect(walk(position, [1, 2])).toEqual(['next', 'next'])
  expect(position.eventId).toBeNull()
  expect(walk(position, [7, 8])).toEqual(['state', 'next'])
})
