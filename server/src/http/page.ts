import type { FastifyReply } from 'fastify'
import { errorPage } from './pages/error-page.ts'
import { pageHeaders } from './refusal-page.ts'

/** The state is inserted in front of this tag of a built page. */
const place = '</head>'

/**
 * A built page with its state inserted as a block of JSON, which browsers do not execute.
 * Characters that could end the block or start markup are escaped: metadata and names come from
 * outside.
 */
export function pageWithState(html: string, state: unknown): string {
  const json = JSON.stringify(state).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const block = `<script type="application/json" id="settlewire-state">${json}</script>`
  // A function, because `replace` would interpret `$&` in a replacement string.
  return html.replace(place, () => block + place)
}

/** Whether `pageWithState` can insert a state into this page. */
export const takesState = (html: string): boolean => html.includes(place)

/**
 * Sends a page of a title and a sentence to a payer, with the way back to the shop if it is known.
 */
export function sendPlainPage(
  reply: FastifyReply,
  status: number,
  [title, words]: readonly [string, string],
): FastifyReply {
  const { shopUrl } = reply.request
  const page = errorPage({ status, title, words, requestId: null, shopUrl, reader: 'payer' })
  return reply.code(status).headers(pageHeaders).send(String(page))
}
