import type { ErrorCode } from '@settlewire/core/errors'
import { type Html, html, kept, sentence } from '../../html.ts'
import { layout } from './layout.ts'

/** The content of an error page. */
export interface ErrorPage {
  readonly status: number
  readonly title: string
  readonly words: string
  /** Shown so that a person can quote it to the operator; null if the request has no id. */
  readonly requestId: string | null
  /** The shop's URL for the link back; null if unknown. */
  readonly shopUrl: string | null
  /** Where no shop is known, the links depend on the reader: none leads a payer to the API. */
  readonly reader: 'payer' | 'developer' | 'anyone'
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

/**
 * A page that explains an error, with links (`linksOf`). Without the mark: it stands for the
 * product.
 */
export function errorPage(page: ErrorPage): Html {
  const { status, title, words, requestId } = page
  const links = linksOf(page).map(
    ([href, label], place) =>
      html`<a class="button${place === 0 ? '' : ' button-quiet'}" href="${href}">${label}</a>`,
  )
  const actions = links.length === 0 ? html`` : html`<div class="actions">${links}</div>`
  const reference = requestId === null ? html`` : html` · Request ${kept(requestId)}`
  return layout(
    title,
    html`<main class="card-page"><div class="card"><h1>${title}</h1><p>${sentence(words)}</p>${actions}<p class="small">Error ${status}${reference}</p></div></main>`,
  )
}

type WayOn = readonly [href: string, label: string]

/**
 * The ways on: the same address once more if that can help, then the way back. For a payer without
 * a known shop there is no way back.
 */
function linksOf({ status, shopUrl, reader }: ErrorPage): readonly WayOn[] {
  // An empty address is that of the page itself.
  const again: readonly WayOn[] = status >= 500 || status === 429 ? [['', 'Try again']] : []
  if (shopUrl !== null) return [...again, [shopUrl, 'Back to the shop']]
  if (reader === 'developer') return [...again, ['/docs', 'To the API reference']]
  return again.length > 0 || reader === 'payer' ? again : [['/', 'To the start page']]
}
