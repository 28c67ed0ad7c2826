/** What every answer carries. Pages loosen the policy for themselves, and only for themselves. */
const always: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** `secure`: browsers reach us by https, and shall never try anything else. */
export const securityHeaders = (secure: boolean): Readonly<Record<string, string>> =>
  secure ? { ...always, 'strict-transport-security': 'max-age=31536000' } : always

/**
 * A shop that opens the checkout in a popup must see whether it was closed, and the page its opener: any
 * other value puts the two into separate groups of windows, and the popup looks closed to the shop at once.
 * Nothing is lost by it: no page of ours gives anything to the window that opened it.
 */
export const openerPolicyOfPages = 'unsafe-none'

/** For our own pages: code, style and connections from here only, and nothing inline. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * A payment's reads and claims, and the list of chains, may be asked for from any page, with a client secret
 * or a publishable key in the Authorization header. Any origin is safe because nothing is given for cookies: the answer to a request that
 * brings them is not readable elsewhere (`*` excludes credentials), and who has the secret may read.
 */
export const crossOriginReads: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'request-id, retry-after',
}

/** What a browser asks before it sends such a request. */
export const crossOriginPreflight = (method: 'GET' | 'POST'): Readonly<Record<string, string>> => ({
  ...crossOriginReads,
  'access-control-allow-methods': method,
  'access-control-allow-headers':
    method === 'GET'
      ? 'authorization, last-event-id, cache-control'
      : 'authorization, content-type, idempotency-key, cache-control',
  'access-control-max-age': '7200',
})
