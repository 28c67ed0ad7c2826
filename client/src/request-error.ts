import type { FieldError } from '@settlewire/core/errors'

/** Codes for what goes wrong before an answer of Settlewire's exists. */
export type LocalCode = 'unreachable' | 'unexpected_answer' | 'no_stream' | 'slow_reader'

/** Answers below 500 that say "not now" rather than "never". */
const laterStatuses: readonly number[] = [408, 409, 425, 429]

/** What Settlewire said, as far as it said it. */
export interface Problem {
  /** From the error catalogue, from a newer one, or a `LocalCode`. */
  readonly code: string
  readonly detail: string
  /** Null when there was no answer at all. */
  readonly status: number | null
  readonly requestId?: string | null
  readonly fields?: readonly FieldError[]
  readonly retryAfterMs?: number | null
}

/** A request that did not do what it was sent for. Decide by `code`, never by message. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: string
  readonly status: number | null
  readonly requestId: string | null
  readonly fields: readonly FieldError[]
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | null

  constructor(problem: Problem, cause?: unknown) {
    super(problem.detail, { cause })
    this.code = problem.code
    this.status = problem.status
    this.requestId = problem.requestId ?? null
    this.fields = problem.fields ?? []
    this.retryAfterMs = problem.retryAfterMs ?? null
  }

  /**
   * Whether the same request can never succeed. Only Settlewire's own word counts: a bare 404 or 502
   * is what a proxy says while Settlewire is being replaced.
   */
  get isFinal(): boolean {
    const { code, status } = this
    if (code === 'unexpected_answer' || status === null) return false
    return status >= 400 && status < 500 && !laterStatuses.includes(status)
  }
}
