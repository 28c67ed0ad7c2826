import type { ErrorCode } from '@settlewire/core/errors'
import { type Html, html } from '../../html.ts'
import { layout } from './layout.ts'

/** The content of an error page. */
export interface ErrorPage {
  readonly status: number
  readonly title: string
  readonly words: string
  /** Shown so that a person can quote it to the operator. */
  readonly requestId: string | null
  /** The shop's URL for the link back; null if unknown. */
  readonly shopUrl: string | null
  /** Whether the button leads to the API reference, where no shop is known. */
  readonly toReference?: boolean
}

type PageWords = readonly [title: string, words: string]

/** Texts for the errors that people meet. All other errors get the text of their status. */
const byCode: Partial<Record<ErrorCode, PageWords>> = {
  not_found: ['There is nothing at this address', 'The link may be incomplete or out of date.'],
  method_not_allowed: ['This address is not a page', 'Programs send requests to it.'],
  unauthenticated: [
    'This address is for programs with a key',
    'It is part of the API. The API reference explains how to send a key.',
  ],
  shutting_down: ['This server is restarting', 'Nothing is lost. Try again in a moment.'],
  store_unavailable: [
    'Payments cannot be read right now',
    'Nothing is lost: payments are on the chain, and this server reads them again by itself. Try again in a moment.',
  ],
}

const byStatus: readonly (readonly [from: number, PageWords])[] = [
  [500, ['This page cannot be shown right now', 'Nothing is lost. Try again in a moment.']],
  [429, ['Too many requests at once', 'Wait a little, then try again.']],
  [410, ['This page is no longer available', 'It has expired or was removed.']],
  [403, ['You may not see this page', 'The request lacks the necessary rights.']],
  [401, ['This page needs a key', 'It is part of the API.']],
  [400, ['The server cannot answer this request', 'The request is invalid.']],
]
const otherwise: PageWords = ['The server cannot answer this request', 'The request is invalid.']

/** The title and text of an error page. */
export function wordsFor(code: ErrorCode, status: number): PageWords {
  const [, words] = byStatus.find(([from]) => status >= from) ?? []
  return byCode[code] ?? words ?? otherwise
}

/** A page that explains an error, with a link back. Without the mark, a tick that says success. */
export function errorPage(page: ErrorPage): Html {
  const { status, title, words, requestId, shopUrl, toReference = false } = page
  const [href, label] =
    shopUrl !== null
      ? [shopUrl, 'Back to the shop']
      : toReference
        ? ['/docs', 'To the API reference']
        : ['/', 'To the start page']
  const back = html`<a class="button" href="${href}">${label}</a>`
  const reference = requestId === null ? html`` : html` · Request ${requestId}`
  return layout(
    title,
    html`<main class="card-page"><div class="card"><h1>${title}</h1><p>${words}</p><div class="actions">${back}</div><p class="small">Error ${status}${reference}</p></div></main>`,
  )
}
