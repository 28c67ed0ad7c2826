import type { IncomingHttpHeaders } from 'node:http'
import { describeError, type Failure } from '@settlewire/core/errors'
import { errorPage, wordsFor } from './pages/error-page.ts'
import { plainPagePolicy } from './pages/layout.ts'
import { problemHeaders } from './problem.ts'

/**
 * Whether a person reads the answer: a browser that opens a URL accepts `text/html`. Programs that
 * accept anything, such as `fetch` and stream clients, get a problem document.
 */
export const wantsPage = ({
  method = '',
  headers,
}: {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
}): boolean =>
  (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers.accept ?? '')

/**
 * A refusal as a page. `own`: the route is for people, so the failure's own message is shown, if it
 * has one and the status is below 500.
 */
export function refusalPage(
  failure: Failure,
  { requestId, shopUrl, own }: { requestId: string; shopUrl: string | null; own: boolean },
): { status: number; headers: Record<string, string>; body: string } {
  const { status, title: catalogued } = describeError(failure.code)
  const [title, general] = wordsFor(failure.code, status)
  const words = own && status < 500 && failure.message !== catalogued ? failure.message : general
  const reader = own ? 'payer' : failure.code === 'unauthenticated' ? 'developer' : 'anyone'
  const body = String(errorPage({ status, title, words, requestId, shopUrl, reader }))
  return { status, headers: { ...problemHeaders(failure), ...pageHeaders }, body }
}

/** Headers of every page that the server itself renders. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': plainPagePolicy,
} as const
