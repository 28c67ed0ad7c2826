import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

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

const style =
  ':root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;box-sizing:border-box}main{max-width:26rem}h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0;opacity:.8}'

const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(style)
  .digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** A page of a title and a sentence, for people who came with a link that leads nowhere. */
export function sendPlainPage(
  reply: FastifyReply,
  status: number,
  [title, words]: readonly [string, string],
): FastifyReply {
  return reply
    .code(status)
    .header('content-security-policy', policy)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1><p>${words}</p></main></body></html>`,
    )
}
