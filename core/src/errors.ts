/** Whether trying the same call again can help. */
export type Retry = 'never' | 'later' | 'changed'

interface ErrorEntry {
  /** The HTTP status of the response. */
  readonly status: number
  /** One line: what happened. */
  readonly title: string
  /** What the reader of the error should do. */
  readonly advice: string
  readonly retry: Retry
}

/**
 * Every operating error there is. The HTTP edge makes an RFC 9457 problem document of it; clients
 * decide by `code`, never by message. Printed to docs/generated/errors.md.
 */
export const errorCatalogue = {
  invalid_request: {
    status: 400,
    title: 'The request is not valid.',
    advice: 'See errors[] for each field, and /openapi.json for what each field accepts.',
    retry: 'changed',
  },
  malformed_body: {
    status: 400,
    title: 'The body is not valid JSON.',
    advice: 'Send one JSON object in UTF-8 with Content-Type: application/json.',
    retry: 'changed',
  },
  head_too_large: {
    status: 431,
    title: 'The address and headers of the request are larger than 16 KB.',
    advice: 'Send fewer or shorter headers, or a shorter query.',
    retry: 'changed',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time.',
    advice: 'Repeat it with the same Idempotency-Key. The settings list the time limits.',
    retry: 'later',
  },
  expectation_failed: {
    status: 417,
    title: 'This server supports no expectation other than 100-continue.',
    advice: 'Omit the header Expect.',
    retry: 'changed',
  },
  body_too_large: {
    status: 413,
    title: 'The body is larger than this route accepts.',
    advice: 'Send less; metadata holds at most 20 short pairs.',
    retry: 'changed',
  },
  unsupported_media_type: {
    status: 415,
    title: 'This route accepts application/json only.',
    advice: 'Set Content-Type: application/json.',
    retry: 'changed',
  },
  unauthenticated: {
    status: 401,
    title: 'The request has no valid key.',
    advice: 'Send Authorization: Bearer with a key of this installation that was not revoked.',
    retry: 'changed',
  },
  key_revoked: {
    status: 401,
    title: 'This key was revoked.',
    advice: 'Use another key of the merchant; `npx settlewire key create` makes one.',
    retry: 'changed',
  },
  key_expired: {
    status: 401,
    title: 'This key was rotated, and its grace period is over.',
    advice: 'Use the key that replaced it; `npx settlewire key list` names it.',
    retry: 'changed',
  },
  merchant_disabled: {
    status: 403,
    title: 'The merchant of this key is disabled.',
    advice: 'The operator can enable it again: `npx settlewire merchant enable`.',
    retry: 'changed',
  },
  scope_missing: {
    status: 403,
    title: 'This key lacks the scope that the route needs.',
    advice:
      'The detail names the scope: use a key that has it, or a secret key. /openapi.json names the scope of each route.',
    retry: 'changed',
  },
  forbidden: {
    status: 403,
    title: 'This credential may not do that.',
    advice: 'Use a secret key, or a restricted key with the scope that the route names.',
    retry: 'changed',
  },
  cross_site_write: {
    status: 403,
    title: 'A cookie authenticated this write, but it did not come from a page of this server.',
    advice:
      'Send the client secret as Authorization: Bearer. Browsers name the page in Origin or Sec-Fetch-Site.',
    retry: 'changed',
  },
  not_found: {
    status: 404,
    title: 'Not found, or not visible to this key.',
    advice: 'Check the id, and that it belongs to this merchant and this mode (test or live).',
    retry: 'changed',
  },
  method_not_allowed: {
    status: 405,
    title: 'This address does not support this method.',
    advice: 'See /openapi.json for the methods that it supports.',
    retry: 'changed',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'This Idempotency-Key was used for another request.',
    advice: 'Use a new key for a new request; repeat the same body to get the first answer again.',
    retry: 'changed',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'A request with this Idempotency-Key is still running.',
    advice: 'Repeat it after a second to get its answer.',
    retry: 'later',
  },
  invalid_amount: {
    status: 422,
    title: 'The amount cannot be paid in the asset.',
    advice: 'Send a positive decimal string with no more decimal places than the asset has.',
    retry: 'changed',
  },
  unsupported_asset: {
    status: 422,
    title: 'A requested asset is not available here or has another currency.',
    advice: 'Name assets as SYMBOL.chain, from GET /v1/chains, all of one currency.',
    retry: 'changed',
  },
  asset_disabled: {
    status: 503,
    title: 'The asset is not available right now.',
    advice:
      'GET /v1/chains says why. Accept another asset, or repeat once the operator has fixed it.',
    retry: 'later',
  },
  merchant_cannot_receive: {
    status: 422,
    title: 'This merchant has no address to be paid at.',
    advice: 'Register an extended public key for the merchant first.',
    retry: 'changed',
  },
  not_cancellable: {
    status: 409,
    title: 'The payment can no longer be withdrawn.',
    advice: 'Money was seen, or the payment is closed. Read its status; refund it instead.',
    retry: 'never',
  },
  too_many_claims: {
    status: 429,
    title: 'Too many claimed transactions are still unseen.',
    advice: 'Wait until one of them is seen or dropped; check the hash in the wallet.',
    retry: 'later',
  },
  nothing_to_resolve: {
    status: 409,
    title: 'There is nothing for a person to decide.',
    advice: 'Read its status, flags and transfers: a rule or the chain decides this payment.',
    retry: 'never',
  },
  sequence_conflict: {
    status: 409,
    title: 'The payment changed while this request was processed.',
    advice: 'Settlewire retries this by itself; if the error reaches you, repeat the request.',
    retry: 'later',
  },
  cursor_conflict: {
    status: 409,
    title: 'Another process advanced this chain.',
    advice: 'Nothing to do: the follower reads its position again by itself.',
    retry: 'later',
  },
  lease_lost: {
    status: 409,
    title: 'Another process holds the lease for this work.',
    advice: 'Nothing to do: the process with the lease continues, and this one stands by.',
    retry: 'never',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests or streams at once.',
    advice: 'Wait as long as Retry-After says.',
    retry: 'later',
  },
  too_many_from_address: {
    status: 429,
    title: 'This address has too many connections or open requests.',
    advice:
      'Close some, or wait as long as Retry-After says. The operator sets CONNECTIONS_PER_ADDRESS_MAX.',
    retry: 'later',
  },
  too_many_streams_of_payment: {
    status: 429,
    title: 'This payment has too many streams and long-polls in this process.',
    advice:
      'Wait as long as Retry-After says, or read the payment instead. The operator sets STREAMS_PER_PAYMENT_MAX.',
    retry: 'later',
  },
  too_many_streams_of_merchant: {
    status: 429,
    title: 'The payments of this merchant have too many streams and long-polls in this process.',
    advice:
      'Wait as long as Retry-After says, or follow `GET /v1/events`. The operator sets STREAMS_PER_MERCHANT_MAX.',
    retry: 'later',
  },
  too_many_streams_of_address: {
    status: 429,
    title: 'This address has too many streams and long-polls in this process.',
    advice:
      'Close some, or wait as long as Retry-After says. The operator sets STREAMS_PER_ADDRESS_MAX.',
    retry: 'later',
  },
  too_many_connections: {
    status: 503,
    title: 'This process has reached its limit of connections.',
    advice: 'Repeat after Retry-After. The operator sets CONNECTIONS_MAX.',
    retry: 'later',
  },
  store_unavailable: {
    status: 503,
    title: 'The history cannot be read or written right now.',
    advice:
      'The change may have been made all the same. Repeat the request with the same Idempotency-Key, so that it is made only once; without a key, read the resource first.',
    retry: 'later',
  },
  overloaded: {
    status: 503,
    title: 'The server is overloaded: too much work is waiting.',
    advice: 'Repeat after Retry-After, with the same Idempotency-Key.',
    retry: 'later',
  },
  shutting_down: {
    status: 503,
    title: 'This process is closing.',
    advice:
      'Repeat the request with the same Idempotency-Key. Another process answers, or this server after its restart.',
    retry: 'later',
  },
  chain_unavailable: {
    status: 503,
    title: 'The chain cannot be reached right now.',
    advice:
      'If the request sends a transaction, it may have been sent: look at the payment. Repeat when GET /readyz shows the chain again.',
    retry: 'later',
  },
  chain_mismatch: {
    status: 500,
    title: 'The node is on another chain than the one configured or followed before.',
    advice: 'Check chain id and genesis of the provider. In the sandbox: remove SETTLEWIRE_HOME.',
    retry: 'never',
  },
  sandbox_only: {
    status: 404,
    title: 'This exists in the sandbox only.',
    advice: 'Use a test key against an installation that runs the sandbox.',
    retry: 'never',
  },
  invalid_config: {
    status: 500,
    title: 'The configuration is not valid.',
    advice: 'Settings: docs/generated/config.md. Chains: docs/chains.md.',
    retry: 'never',
  },
  unknown_argument: {
    status: 500,
    title: 'The command line has an unknown argument.',
    advice:
      'Settings are environment variables, as in `PORT=9000 npm start`: see docs/generated/config.md.',
    retry: 'never',
  },
  port_in_use: {
    status: 500,
    title: 'Another program listens on this port.',
    advice: 'Stop that program, or set PORT to a free port.',
    retry: 'never',
  },
  home_in_use: {
    status: 500,
    title: 'Another process uses this data directory.',
    advice: 'Stop it; or, for a second one, set both SETTLEWIRE_HOME and PORT.',
    retry: 'never',
  },
  internal_contradiction: {
    status: 500,
    title: 'An internal fault prevents Settlewire from judging this payment.',
    advice:
      'Report it with the requestId, which is also in the log. Settlewire retries by itself; other payments are not affected.',
    retry: 'later',
  },
  internal: {
    status: 500,
    title: 'Internal error.',
    advice: 'Report it with the requestId; repeating it may help.',
    retry: 'later',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

/** The status, title, advice and retry rule of one code. */
export const describeError = (code: ErrorCode): ErrorEntry => errorCatalogue[code]

/** One field that does not fit, by its JSON pointer. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

/** An expected failure. `detail` goes to the client and never holds a secret. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: ErrorCode
  readonly fields: readonly FieldError[]
  readonly retryAfterSeconds: number | null

  constructor(
    code: ErrorCode,
    detail?: string,
    more: {
      cause?: unknown
      fields?: readonly FieldError[]
      retryAfterSeconds?: number
    } = {},
  ) {
    super(detail ?? errorCatalogue[code].title, { cause: more.cause })
    this.code = code
    this.fields = more.fields ?? []
    this.retryAfterSeconds = more.retryAfterSeconds ?? null
  }
}

/** Several problems, one per line; a single problem as a sentence. */
export const inLines = (problems: readonly string[]): string =>
  problems.length === 1 ? `${problems[0]}.` : problems.map((each) => `\n  ${each}`).join('')

/** Whether an unknown error is a failure with this code. */
export const failedWith = (error: unknown, code: ErrorCode): error is Failure =>
  error instanceof Failure && error.code === code
