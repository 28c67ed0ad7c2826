/**
 * Headers of every answer. Routes may replace single ones: files their cache control, HTML pages
 * their content policy. No other answer replaces the content policy.
 */
const always: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** `secure`: browsers reach us by https and must never use plain http (HSTS). */
export const securityHeaders = (secure: boolean): Readonly<Record<string, string>> =>
  secure ? { ...always, 'strict-transport-security': 'max-age=31536000' } : always

/**
 * A shop that opens the checkout in a popup must see when the popup is closed, and the checkout
 * needs its opener. Any other value separates the two windows, and the popup looks closed to the
 * shop at once. This is safe because none of our pages gives data to the window that opened it.
 */
export const openerPolicyOfPages = 'unsafe-none'

/** For our own pages: scripts, styles and connections of our origin only, and nothing inline. */
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
 * Pages of any origin may read and claim a payment, and list the chains, with a client secret or a
 * publishable key in the Authorization header. Any origin is safe: `*` excludes credentials, so a
 * page of another origin cannot read the answer to a request with cookies, and the secret itself
 * permits reading.
 */
export const crossOriginReads: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'request-id, retry-after',
}

/** Headers of the answer to the preflight that a browser sends before such a request. */
export const crossOriginPreflight = (method: 'GET' | 'POST'): Readonly<Record<string, string>> => ({
  ...crossOriginReads,
  'access-control-allow-methods': method,
  'access-control-allow-headers':
    method === 'GET'
      ? 'authorization, last-event-id, cache-control'
      : 'authorization, content-type, idempotency-key, cache-control',
  'access-control-max-age': '7200',
})
