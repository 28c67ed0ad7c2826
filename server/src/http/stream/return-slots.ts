/** Streams that come back after a shutdown arrive one after the other, this far apart. */
const apartMs = 1
/** A client waits at least this long: an immediate retry would reach the closing process. */
const firstMs = 500

/**
 * When each of `count` clients shall come back, in milliseconds from now: a slot of its own for
 * each, one millisecond apart, or closer if otherwise the last one would wait longer than
 * `windowMs`.
 */
export function returnSlots(count: number, windowMs: number): (index: number) => number {
  const stepMs = Math.min(apartMs, windowMs / Math.max(1, count))
  return (index) => firstMs + Math.round(index * stepMs)
}
