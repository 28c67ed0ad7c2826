import { type Html, html } from '../../html.ts'
import { layout, mark } from './layout.ts'

type Link = readonly [href: string, name: string, words: string]

const ofSandbox: readonly Link[] = [
  ['/shop', 'Demo shop', 'Buy something, and pay it from the wallet of the sandbox.'],
  ['/lab', 'Lab', 'Everything that can happen to a payment, at the press of a button.'],
]

const always: readonly Link[] = [
  ['/docs', 'API reference', 'Every route, with what it takes and answers.'],
  ['/docs/guides/protocol', 'Guides', 'The protocol, the statuses, the errors, the settings.'],
  ['/openapi.json', 'OpenAPI document', 'The same contract, for programs.'],
  ['/readyz', 'Readiness', 'How well each chain is seen.'],
  ['/metrics', 'Metrics', 'Figures for Prometheus.'],
]

/** The start page: links to the pages for people and to the addresses for programs. */
export function frontPage({ sandbox }: { readonly sandbox: boolean }): Html {
  const links = [...(sandbox ? ofSandbox : []), ...always]
  const items = links.map(
    ([href, name, words]) =>
      html`<li><a href="${href}"><strong>${name}</strong><span>${words}</span></a></li>`,
  )
  return layout(
    'Settlewire',
    html`<main class="card-page"><div class="card">${mark}<h1>Settlewire</h1><p>This server sends the state of a payment to all its readers, the instant it changes. ${sandbox ? 'It runs with a sandbox: a local chain and test money.' : ''}</p><ul class="links">${items}</ul></div></main>`,
  )
}
