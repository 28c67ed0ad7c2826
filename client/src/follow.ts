import { RequestError } from './request-error.ts'
import { type Update, type WatchOptions, watch } from './watch.ts'

/** The maximum number of unread updates. A payment has far fewer events. */
const unreadMax = 1_000

/**
 * A watch for `for await`. It ends when the payment has reached `until`, when the server refuses it
 * (see `reason` of the last update), or when the signal aborts. Throws `slow_reader` if too many
 * updates are unread. Of consecutive unread connection updates only the latest is kept.
 */
export async function* follow(
  options: WatchOptions,
  signal?: AbortSignal,
): AsyncGenerator<Update, void, void> {
  const unread: Update[] = []
  let wake = (): void => undefined
  let over = false
  const stop = watch(options, (update) => {
    if (update.kind === 'connection') {
      over = update.connection.state === 'ended'
      if (unread[unread.length - 1]?.kind === 'connection') unread.pop()
    }
    unread.push(update)
    wake()
  })
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  try {
    while (!over || unread.length > 0) {
      if (unread.length > unreadMax) throw slowReader
      const update = unread.shift()
      if (update !== undefined) yield update
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

const slowReader = new RequestError({
  code: 'slow_reader',
  status: null,
  detail: `More than ${unreadMax} updates are unread.`,
})
