/** The HTTP status of each code that ends what a key holds open. The catalogue has them too, and is too large for a page. */
export const keyEndStatuses: Readonly<Record<string, number>> = {
  key_revoked: 401,
  key_expired: 401,
  merchant_disabled: 403,
}

/** Of a code that is newer than this client: that of a key that opens nothing. */
export const statusOf = (code: string): number => keyEndStatuses[code] ?? 401
