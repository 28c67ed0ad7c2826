import type { FieldError } from '@settlewire/core/errors'

/** Codes that this client sets itself; they come from no problem document of Settlewire. */
export type LocalCode = 'unreachable' | 'unexpected_answer' | 'no_stream' | 'slow_reader'

/** Statuses below 500 that mean “not now” rather than “never”. */
const laterStatuses: readonly number[] = [408, 409, 425, 429]

/** The fields of a problem document, as far as the response had them, or of a `LocalCode`. */
export interface ProblemFields {
  /** A code of the error catalogue or of a newer one, or a `LocalCode`. */
  readonly code: string
  readonly detail: string
  /** The HTTP status; null if no response caused the failure. */
  readonly status: number | null
  readonly requestId?: string | null
  readonly fields?: readonly FieldError[]
  readonly retryAfterMs?: number | null
}

/** A request that failed. Decide by `code`, never by message. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: string
  readonly status: number | null
  readonly requestId: string | null
  readonly fields: readonly FieldError[]
  /** How long the server asks the client to wait. */
  readonly retryAfterMs: number | null

  constructor(problem: ProblemFields, cause?: unknown) {
    super(problem.detail, { cause })
    this.code = problem.code
    this.status = problem.status
    this.requestId = problem.requestId ?? null
    this.fields = problem.fields ?? []
    this.retryAfterMs = problem.retryAfterMs ?? null
  }

  /**
   * Whether the same request can never succeed. Only a problem document of Settlewire counts: a
   * bare 404 or 502 may come from a proxy while Settlewire is being replaced.
   */
  get isFinal(): boolean {
    const { code, status } = this
    if (code === 'unexpected_answer' || status === null) return false
    return status >= 400 && status < 500 && !laterStatuses.includes(status)
  }
}
