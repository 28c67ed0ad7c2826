import type { EventStore, Watched } from '../../server/src/ports/history.ts'

/** Every watched payment in a store. */
export async function watchedIn(store: Pick<EventStore, 'watched'>): Promise<readonly Watched[]> {
  const found: Watched[] = []
  await store.watched((run) => found.push(...run))
  return found
}
