import { describeError, type ErrorCode, errorCatalogue, type Retry } from '@settlewire/core/errors'
import type { LocalCode } from './request-error.ts'

const localAdvice: Readonly<Record<LocalCode, string>> = {
  unreachable:
    'Check the address, and that Settlewire runs there: GET /healthz answers if it does.',
  unexpected_answer: 'A proxy or another program answered instead of Settlewire.',
  no_stream: 'Nothing to do: the watch uses long-poll instead.',
  slow_reader: 'Read faster, or start again from the last event that was read.',
}

const isLocal = (code: string): code is LocalCode => Object.keys(localAdvice).includes(code)
const isCatalogued = (code: string): code is ErrorCode => Object.keys(errorCatalogue).includes(code)

/** The advice for an error code; empty for a code that is newer than this client. */
export function adviceFor(code: string): string {
  if (isLocal(code)) return localAdvice[code]
  return isCatalogued(code) ? describeError(code).advice : ''
}

/** Whether repeating the request can help; null for a code that is newer than this client. */
export function retryFor(code: string): Retry | null {
  if (isLocal(code)) return 'later'
  return isCatalogued(code) ? describeError(code).retry : null
}
