/** A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` counts them. */
export type Instant = number

/** RFC 3339, UTC, with milliseconds: the only form a time has on the wire. */
export const toRfc3339 = (at: Instant): string => new Date(at).toISOString()

/** The wire form of a time that may not have come yet. */
export const toRfc3339OrNull = (at: Instant | null): string | null =>
  at === null ? null : toRfc3339(at)
