import { type ProblemFields, RequestError } from './request-error.ts'

/** The address of Settlewire, and the credential for it. */
export interface ServerAccess {
  /** Scheme, host and path before `/v1`; empty for the page's own host. */
  readonly baseUrl: string
  /** A key or a client secret. Left out where a cookie authenticates the requests. */
  readonly key?: string
  readonly fetch?: typeof fetch
}

export interface Request {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** A larger response cannot be Settlewire's. */
const bodyCharactersMax = 4_000_000

/**
 * Sends a request and returns a successful response with its body unread. Any other response, or
 * none, rejects with a `RequestError`, an abort with the signal's reason.
 */
export async function send(access: ServerAccess, request: Request): Promise<Response> {
  const call = access.fetch ?? fetch
  const { method = 'GET', body, signal } = request
  let response: Response
  try {
    response = await call(address(access, request), {
      method,
      headers: {
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...(access.key && { authorization: `Bearer ${access.key}` }),
        ...request.headers,
      },
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (cause) {
    throw signal?.aborted ? signal.reason : unreachable(cause)
  }
  if (response.ok) return response
  const problem = await problemOf(response)
  // The abort may have cut off the body of the problem.
  throw signal?.aborted ? signal.reason : problem
}

/**
 * Sends a request and parses the JSON response. The caller knows the type of the route's response.
 */
export async function sendForJson(access: ServerAccess, request: Request): Promise<unknown> {
  const response = await send(access, request)
  const text = await readText(response, request.signal)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unexpected(response, cause)
  }
}

function address({ baseUrl }: ServerAccess, { path, query = {} }: Request): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  const question = search.toString()
  return baseUrl.replace(/\/$/, '') + path + (question === '' ? '' : `?${question}`)
}

async function readText(response: Response, signal?: AbortSignal): Promise<string> {
  const length = Number(response.headers.get('content-length') ?? 0)
  if (length > bodyCharactersMax) throw unexpected(response)
  try {
    return await response.text()
  } catch (cause) {
    throw signal?.aborted ? signal.reason : unreachable(cause)
  }
}

const unreachable = (cause: unknown): RequestError =>
  new RequestError({ code: 'unreachable', status: null, detail: 'No response.' }, cause)

const unexpected = (response: Response, cause?: unknown): RequestError =>
  new RequestError(
    {
      code: 'unexpected_answer',
      status: response.status,
      detail: `The response (${response.status}) is not Settlewire's.`,
      retryAfterMs: retryAfterMs(response),
    },
    cause,
  )

/** Reads a problem document of Settlewire; `unexpected_answer` for any other refusal. */
async function problemOf(response: Response): Promise<RequestError> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  if (!isProblem) {
    await response.body?.cancel()
    return unexpected(response)
  }
  const json: unknown = await response.json().catch(() => null)
  if (typeof json !== 'object' || json === null) return unexpected(response)
  const { code, detail, title, requestId, errors } = json as Record<string, unknown> // any field may be missing
  if (typeof code !== 'string') return unexpected(response)
  const message = typeof detail === 'string' ? detail : title
  return new RequestError({
    code,
    status: response.status,
    detail: typeof message === 'string' ? message : code,
    requestId: typeof requestId === 'string' ? requestId : null,
    fields: fieldsOf(errors),
    retryAfterMs: retryAfterMs(response),
  })
}

function fieldsOf(errors: unknown): NonNullable<ProblemFields['fields']> {
  if (!Array.isArray(errors)) return []
  return errors.flatMap((each: { pointer?: unknown; detail?: unknown } | null) =>
    typeof each?.pointer === 'string' && typeof each.detail === 'string'
      ? [{ pointer: each.pointer, detail: each.detail }]
      : [],
  )
}

/** `Retry-After` in seconds. Settlewire does not send its date form, which needs equal clocks. */
function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}
