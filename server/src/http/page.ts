import type { FastifyReply } from 'fastify'
import { errorPage } from './pages/error-page.ts'
import { pageHeaders } from './refusal-page.ts'

/** Where a built page gets its state: in front of the end of its head. */
const place = '</head>'

/**
 * A built page with its state in it, as a block of JSON that no browser runs. What could end the
 * block, or begin anything else, is written as an escape: metadata and names come from outside.
 */
export function pageWithState(html: string, state: unknown): string {
  const json = JSON.stringify(state).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const block = `<script type="application/json" id="settlewire-state">${json}</script>`
  // As a function: `$&` in the state would otherwise be read as a pattern of `replace`.
  return html.replace(place, () => block + place)
}

/** Whether a page can take its state. */
export const takesState = (html: string): boolean => html.includes(place)

/** A page of a title and a sentence, for people who came with a link that leads nowhere. */
export function sendPlainPage(
  reply: FastifyReply,
  status: number,
  [title, words]: readonly [string, string],
): FastifyReply {
  const page = errorPage({ status, title, words, requestId: null, shopUrl: null })
  return reply.code(status).headers(pageHeaders).send(String(page))
}
