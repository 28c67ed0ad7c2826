/** The state of a watch's connection. `connecting` is not `current`: that needs a proof. */
export const states = [
  'idle', // not started
  'connecting', // the first attempt is running, nothing is proven yet
  'current', // a stream proved that we have the newest event
  'fallback', // the answer to a poll proved it; the stream does not get through
  'stale', // our state is known or suspected to be old
  'reconnecting', // the next attempt is due or running
  'paused', // the device is offline or the page frozen; it continues when that ends
  'ended', // no more updates will come, or the caller stopped the watch
] as const
export type State = (typeof states)[number]

export const inputs = [
  'start',
  'opened', // the server accepted, nothing has arrived yet
  'event', // a new event, or the newest one again
  'heartbeat', // the head of the history is the event that we have
  'behind', // the head is higher than our event, or an event was skipped
  'reset', // the server cannot prove continuity; the whole state follows
  'answered', // a poll was answered: we have the newest event
  'silence', // nothing arrived for longer than the heartbeat interval
  'slept', // time jumped: timers and sockets cannot be trusted
  'failed', // no response, or a bad one
  'closed', // the server ended the attempt, but not because the payment closed
  'due', // the wait before the next attempt or poll is over
  'offline',
  'online',
  'visible', // the page is visible again
  'frozen', // the page enters the back/forward cache
  'restored', // the page leaves the back/forward cache
  'finished', // the payment closed, or the server says that it is closed
  'refused', // the same request can never succeed
  'stop', // the caller stops the watch
] as const
export type Input = (typeof inputs)[number]

export const actions = [
  'none',
  'connect', // drop the running attempt and try now
  'schedule', // drop the running attempt and try after a backoff
  'again', // send the next poll of a fallback
  'forget', // forget the position, take the next event as the state
  'check', // treat it as silence if nothing arrived for a heartbeat interval
  'pause', // drop the running attempt and wait for an input
  'close', // drop everything permanently
] as const
export type Action = (typeof actions)[number]

export interface Step {
  readonly to: State
  readonly action: Action
}

type TransitionRow = Readonly<Record<Input, Step>>

const step = (to: State, action: Action = 'none'): Step => ({ to, action })

const end = step('ended', 'close')
const tryNow = step('reconnecting', 'connect')
const tryLater = step('reconnecting', 'schedule')
const pause = step('paused', 'pause')

/** The same in every state of a started watch. */
const leaving = { finished: end, refused: end, stop: end } as const
/** Inputs that only a running attempt can cause. */
const proof = { event: step('current'), heartbeat: step('current') } as const
const answered = step('fallback', 'again')

/** The whole state machine: row = state, column = input. Nothing happens outside this table. */
export const table: Readonly<Record<State, TransitionRow>> = {
  idle: {
    ...all(step('idle')),
    start: step('connecting', 'connect'),
    stop: end,
  },
  connecting: {
    ...proof,
    ...leaving,
    start: step('connecting'),
    opened: step('connecting'),
    behind: step('stale', 'schedule'),
    reset: step('connecting', 'forget'),
    answered,
    silence: tryLater,
    slept: tryNow,
    failed: tryLater,
    closed: tryLater,
    due: step('connecting', 'connect'),
    offline: pause,
    online: step('connecting', 'connect'),
    visible: step('connecting'),
    frozen: pause,
    restored: tryNow,
  },
  current: {
    ...proof,
    ...leaving,
    start: step('current'),
    opened: step('current'),
    behind: step('stale', 'schedule'),
    reset: step('stale', 'forget'),
    answered,
    silence: step('stale', 'schedule'),
    slept: step('stale', 'connect'),
    failed: tryLater,
    closed: tryLater,
    due: step('current'),
    offline: pause,
    online: step('current', 'check'),
    visible: step('current', 'check'),
    frozen: pause,
    restored: step('stale', 'connect'),
  },
  fallback: {
    ...proof,
    ...leaving,
    start: step('fallback'),
    opened: step('fallback'),
    behind: step('stale', 'schedule'),
    reset: step('stale', 'forget'),
    answered,
    silence: tryLater,
    slept: step('stale', 'connect'),
    failed: tryLater,
    closed: tryLater,
    due: step('fallback', 'connect'),
    offline: pause,
    online: step('fallback', 'connect'),
    visible: step('fallback', 'connect'),
    frozen: pause,
    restored: step('stale', 'connect'),
  },
  stale: {
    ...proof,
    ...leaving,
    start: step('stale'),
    opened: step('stale'),
    behind: step('stale', 'schedule'),
    reset: step('stale', 'forget'),
    answered,
    silence: tryLater,
    slept: step('stale', 'connect'),
    failed: tryLater,
    closed: tryLater,
    due: tryNow,
    offline: pause,
    online: tryNow,
    visible: tryNow,
    frozen: pause,
    restored: step('stale', 'connect'),
  },
  reconnecting: {
    ...proof,
    ...leaving,
    start: step('reconnecting'),
    opened: step('reconnecting'),
    behind: step('stale', 'schedule'),
    reset: step('stale', 'forget'),
    answered,
    silence: tryLater,
    slept: tryNow,
    failed: tryLater,
    closed: tryLater,
    due: tryNow,
    offline: pause,
    online: tryNow,
    visible: tryNow,
    frozen: pause,
    restored: tryNow,
  },
  paused: {
    ...all(step('paused')),
    ...leaving,
    slept: tryNow,
    online: tryNow,
    visible: tryNow,
    restored: tryNow,
  },
  ended: all(step('ended')),
}

/** The next state and action. */
export const next = (state: State, input: Input): Step => table[state][input]

function all(one: Step): TransitionRow {
  return Object.fromEntries(inputs.map((input) => [input, one])) as TransitionRow // complete
}
