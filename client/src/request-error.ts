import {
  describeError,
  type ErrorCode,
  errorCatalogue,
  type FieldError,
} from '@settlewire/core/errors'

/** Codes for what goes wrong before an answer of Settlewire's exists. */
export type LocalCode = keyof typeof localAdvice

const localAdvice = {
  unreachable:
    'Check the address, and that Settlewire runs there; GET /healthz answers when it does.',
  unexpected_answer: 'Something between here and Settlewire answered instead of it.',
  slow_reader: 'Read faster, or start again from the last event that was read.',
} as const

const isCatalogued = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code)

const isLocal = (code: string): code is LocalCode => Object.hasOwn(localAdvice, code)

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

  /** What its reader should do. */
  get advice(): string {
    if (isLocal(this.code)) return localAdvice[this.code]
    return isCatalogued(this.code) ? describeError(this.code).advice : ''
  }

  /**
   * Whether the same request can never succeed. Only Settlewire's own word counts: a bare 404 or 502
   * is what a proxy says while Settlewire is being replaced.
   */
  get isFinal(): boolean {
    return isCatalogued(this.code) && describeError(this.code).retry !== 'later'
  }
}
