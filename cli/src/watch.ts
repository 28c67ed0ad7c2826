import { systemClock } from '@settlewire/client/clock'
import { RequestError } from '@settlewire/client/request-error'
import type { Connection } from '@settlewire/client/watch'
import type { Visibility } from '@settlewire/client/wire-event'
import type { Status } from '@settlewire/core/payment/status-model'
import type { CommandWork } from './command-work.ts'
import type { ExitName } from './exit-code.ts'
import { noteOf, type WatchNote } from './show-connection.ts'
import { eventHead, showEvent, showRemark } from './show-event.ts'

const waitMsMax = 3_000

/** `settlewire watch`: prints each event until nothing can take the money of the payment back. */
export async function watch(work: CommandWork): Promise<ExitName> {
  const { client, asked, print, note, signal, medium } = work
  let status: Status | null = null
  /** The code of the refusal that ended the watch. */
  let refusalCode: string | null = null
  const notes = new Notes(work)
  for await (const update of client.watch(asked.id(), { signal, until: 'final' })) {
    if (update.kind === 'event') {
      if (status === null && !asked.json) note(eventHead(medium))
      status = update.event.data.status
      print(asked.json ? JSON.stringify(update.event) : showEvent(update.event, medium))
      continue
    }
    await notes.update(update.connection)
    if (update.connection.state === 'ended') refusalCode = update.connection.reason
  }
  if (signal.aborted) return 'interrupted'
  if (refusalCode !== null) {
    throw new RequestError({
      code: refusalCode,
      // The watch does not report the status; any below 500 means that a retry cannot succeed.
      status: 400,
      detail: 'The server refused to stream this payment.',
    })
  }
  return status === 'succeeded' ? 'done' : 'unpaid'
}

/** The notes of one watch. Each is printed once, until another one was printed. */
class Notes {
  readonly #work: CommandWork
  #last: WatchNote | null = null
  /** As the payment itself says, for the time before the first report of the stream. */
  #known: Visibility | null = null
  #wasAsked = false
  #fault: string | null = null

  constructor(work: CommandWork) {
    this.#work = work
  }

  async update(connection: Connection): Promise<void> {
    const { state, visibility, reason } = connection
    // A poll that is answered has no reason: the fault that led to it is the one before.
    if (state === 'current') this.#fault = null
    else if (reason !== null) this.#fault = reason
    // What the payment said before a loss of the connection may be outdated.
    if (state !== 'current') this.#known = null
    else if (visibility === null && !this.#wasAsked) await this.#ask()
    const { address, medium, note } = this.#work
    const around = { address, known: this.#known, fault: this.#fault }
    const found = noteOf(connection, around)
    const last = this.#last
    if (found === null || (found.what === last?.what && found.details === last.details)) return
    const isBack = found.what === 'live' && last?.what === 'sight lost'
    const told = isBack ? { ...found, details: 'every chain can be seen again' } : found
    this.#last = found
    note(showRemark(told, systemClock.now() + connection.clockOffsetMs, medium))
  }

  /** The first heartbeat of a new stream may take 15 s; later ones come at once. */
  async #ask(): Promise<void> {
    this.#wasAsked = true
    const { client, asked, signal } = this.#work
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(waitMsMax)])
    const payment = await client.get(asked.id(), { signal: inTime }).catch(() => null)
    this.#known = payment?.visibility ?? null
  }
}
