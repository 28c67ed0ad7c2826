/**
 * The HTTP status of each code that ends the streams of a key. The catalogue has them too, but is
 * too large for a page.
 */
export const keyEndStatuses: Readonly<Record<string, number>> = {
  key_revoked: 401,
  key_expired: 401,
  merchant_disabled: 403,
}

/** The status of such a code. A code that is newer than this client gets 401. */
export const statusOf = (code: string): number => keyEndStatuses[code] ?? 401
