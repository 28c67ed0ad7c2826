import type { EventData } from '@settlewire/core/payment/event'
import { expect, it } from 'vitest'
import { Position } from './position.ts'

const event = (sequence: number) => ({
  id: `evt_${sequence}`,
  type: 'payment_intent.updated',
  data: { sequence } as EventData, // nothing else is looked at
})

function walk(position: Position, sequences: readonly number[]): readonly string[] {
  position.begin()
  return sequences.map((sequence) => position.take(event(sequence)))
}

it('takes the first event of a fresh stream as the state, wherever it stands', () => {
  const position = new Position()
  expect(walk(position, [4, 5, 6])).toEqual(['state', 'next', 'next'])
  expect(position.eventId).toBe('evt_6')
})

it('counts each event once, however often it comes', () => {
  expect(walk(new Position(), [1, 1, 2, 1, 2, 3])).toEqual([
    'next',
    'known',
    'next',
    'old',
    'known',
    'next',
  ])
})

it('can resume from what the page was loaded with as soon as its event comes', () => {
  const position = new Position({ sequence: 3 })
  expect(position.eventId).toBeNull()
  expect(walk(position, [3, 4])).toEqual(['known', 'next'])
  expect(position.eventId).toBe('evt_4')
})

it('does not step over a gap, also after resuming', () => {
  const position = new Position()
  expect(walk(position, [1, 2, 4])).toEqual(['next', 'next', 'gap'])
  expect(position.sequence).toBe(2)
  expect(walk(position, [4])).toEqual(['gap'])
  expect(walk(position, [3, 4])).toEqual(['next', 'next'])
})

it('takes the state instead when the same gap comes back again and again', () => {
  const position = new Position()
  walk(position, [1])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(walk(position, [3])).toEqual(['gap'])
  expect(position.eventId).toBeNull()
  expect(walk(position, [3])).toEqual(['state'])
})

it('takes the state after a reset, but never an older one', () => {
  const position = new Position()
  walk(position, [5])
  position.forget()
  expect(position.eventId).toBeNull()
  expect(position.take(event(4))).toBe('old')
  expect(position.take(event(8))).toBe('state')
})

it('asks for the newest state each time where only that is wanted', () => {
  const position = new Position({ resumes: false })
  expect(walk(position, [1, 2])).toEqual(['next', 'next'])
  expect(position.eventId).toBeNull()
  expect(walk(position, [7, 8])).toEqual(['state', 'next'])
})
