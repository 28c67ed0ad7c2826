/**
 * Runs over all items, at most `atOnce` at a time, and answers in their order. The first failure
 * rejects; nothing new is begun after it.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    // One shared iterator: each worker takes the next item that nobody has taken.
    for (const [at, item] of queue) results[at] = await run(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}
