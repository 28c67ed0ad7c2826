import { RequestError } from './request-error.ts'
import { type Update, type WatchOptions, watch } from './watch.ts'

/** Updates that may wait for their reader. A payment has far fewer events than that. */
const unreadMax = 1_000

/**
 * A watch to read with `for await`: ends when the payment closes, when it is refused (the last
 * update's `reason` says why), or when the signal aborts. Of connections only the latest waits.
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
  detail: `More than ${unreadMax} updates wait for their reader.`,
})
