/** Where the connection of a watch stands. Connected is not current: only proof makes it so. */
export const states = [
  'idle', // not started
  'connecting', // the first attempt is under way, nothing is proven yet
  'current', // a stream proved that what is held is the newest
  'fallback', // an answer to a question proved it; the stream does not get through
  'stale', // what is held is known or suspected to be old
  'reconnecting', // the next attempt is due or under way
  'paused', // the device is offline or the page frozen; it goes on when that ends
  'ended', // nothing more will come, or nobody wants it
] as const
export type State = (typeof states)[number]

export const inputs = [
  'start',
  'opened', // the server accepted, nothing has come yet
  'event', // news, or the newest event once more
  'heartbeat', // the head of the history is what we hold
  'behind', // the head is higher than what we hold, or an event was skipped
  'reset', // the server cannot prove continuity; the whole state follows
  'answered', // a question was answered: we hold the newest
  'silence', // nothing came for longer than heartbeats are apart
  'slept', // time jumped: timers and sockets mean nothing now
  'failed', // no answer, or a bad one
  'closed', // the server ended the attempt, and not because the payment closed
  'due', // the wait before the next attempt or question is over
  'offline',
  'online',
  'visible', // the page is looked at again
  'frozen', // the page goes into the back/forward cache
  'restored', // and comes out of it
  'finished', // the payment closed, or the server says that it had
  'refused', // the same request can never succeed
  'stop', // the caller has seen enough
] as const
export type Input = (typeof inputs)[number]

export const actions = [
  'none',
  'connect', // drop what runs and try now
  'schedule', // drop what runs and try after a backoff
  'again', // ask the next question of a fallback
  'forget', // forget the position, take the next event as it is
  'check', // call it silence if nothing came for a heartbeat
  'pause', // drop what runs and wait for an input
  'close', // drop everything for good
] as const
export type Action = (typeof actions)[number]

export interface Step {
  readonly to: State
  readonly action: Action
}

type Row = Readonly<Record<Input, Step>>

const step = (to: State, action: Action = 'none'): Step => ({ to, action })

const end = step('ended', 'close')
const tryNow = step('reconnecting', 'connect')
const tryLater = step('reconnecting', 'schedule')
const pause = step('paused', 'pause')

/** Always the same, wherever a started watch stands. */
const leaving = { finished: end, refused: end, stop: end } as const
/** What only an attempt that runs can say. */
const proof = { event: step('current'), heartbeat: step('current') } as const
const answered = step('fallback', 'again')

/** The connection, whole: row = where it stands, column = what happens. Nothing can happen outside it. */
export const table: Readonly<Record<State, Row>> = {
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

/** What happens next. */
export const next = (state: State, input: Input): Step => table[state][input]

function all(one: Step): Row {
  return Object.fromEntries(inputs.map((input) => [input, one])) as Row // every input is there
}
