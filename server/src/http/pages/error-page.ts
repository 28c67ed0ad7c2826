import type { ErrorCode } from '@settlewire/core/errors'
import { type Html, html } from '../../html.ts'
import { layout, mark } from './layout.ts'

/** What went wrong, for a person who looks at a page. */
export interface ErrorPage {
  readonly status: number
  readonly title: string
  readonly words: string
  /** For those who ask the operator about it. */
  readonly requestId: string | null
  /** Where the shop wants its payer back; null where that is not known. */
  readonly shopUrl: string | null
}

type Words = readonly [title: string, words: string]

/** The problems that people meet, in their words. Others are told by their status. */
const byCode: Partial<Record<ErrorCode, Words>> = {
  not_found: ['There is nothing at this address', 'The link may be incomplete or out of date.'],
  method_not_allowed: ['This address is not for reading', 'It takes requests of programs.'],
  unauthenticated: [
    'This address is for programs with a key',
    'It is part of the API. The reference says how a key is sent.',
  ],
  shutting_down: ['This server is restarting', 'Nothing is lost. Try again in a moment.'],
  store_unavailable: [
    'Payments cannot be read right now',
    'Nothing is lost: what was paid is on the chain, and is read again by itself. Try again in a moment.',
  ],
}

const byStatus: readonly (readonly [from: number, Words])[] = [
  [500, ['This page cannot be shown right now', 'Nothing is lost. Try again in a moment.']],
  [429, ['Too many requests at once', 'Wait a little, then try again.']],
  [410, ['This is no longer here', 'What was at this address has ended.']],
  [403, ['This is not for you to see', 'It needs other rights than came with the request.']],
  [401, ['This page needs a key', 'It is part of the API.']],
  [400, ['This cannot be answered', 'The request does not fit.']],
]

/** The words for a problem. */
export function wordsFor(code: ErrorCode, status: number): Words {
  const [, words] = byStatus.find(([from]) => status >= from) ?? []
  return byCode[code] ?? words ?? ['This cannot be answered', 'The request does not fit.']
}

/** A page that says what went wrong, with the way back. */
export function errorPage({ status, title, words, requestId, shopUrl }: ErrorPage): Html {
  const back =
    shopUrl === null
      ? html`<a class="button" href="/">To the start page</a>`
      : html`<a class="button" href="${shopUrl}">Back to the shop</a>`
  const reference = requestId === null ? html`` : html` · Request ${requestId}`
  return layout(
    title,
    html`<main class="card-page"><div class="card">${mark}<h1>${title}</h1><p>${words}</p><div class="actions">${back}</div><p class="small">Error ${status}${reference}</p></div></main>`,
  )
}
