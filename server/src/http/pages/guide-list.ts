import { type Html, html } from '../../html.ts'

/** The guides by their name in the URL: file in the project, and title. */
export const guides = {
  start: { file: 'README.md', title: 'Start' },
  protocol: { file: 'PROTOCOL.md', title: 'Protocol' },
  statuses: { file: 'docs/generated/states.md', title: 'Statuses' },
  errors: { file: 'docs/generated/errors.md', title: 'Errors' },
  settings: { file: 'docs/generated/config.md', title: 'Settings' },
  chains: { file: 'docs/chains.md', title: 'Chains' },
  presets: { file: 'docs/generated/chains.md', title: 'Presets of chains' },
  'going-live': { file: 'docs/going-live.md', title: 'Going live' },
  operating: { file: 'docs/operating.md', title: 'Operating' },
  scopes: { file: 'docs/generated/scopes.md', title: 'Scopes of keys' },
  glossary: { file: 'docs/glossary.md', title: 'Glossary' },
  changes: { file: 'CHANGELOG.md', title: 'Changes' },
} as const satisfies Readonly<Record<string, { readonly file: string; readonly title: string }>>

export type GuideName = keyof typeof guides

export const isGuide = (name: string): name is GuideName => Object.hasOwn(guides, name)

export const guidePath = (name: string): string => `/docs/guides/${name}`

/** The guides as a menu. `current` is the guide that is shown. */
export function guideList(current: GuideName | null): Html {
  const items = Object.entries(guides).map(([name, { title }]) =>
    name === current
      ? html`<li><a href="${guidePath(name)}" aria-current="page">${title}</a></li>`
      : html`<li><a href="${guidePath(name)}">${title}</a></li>`,
  )
  return html`<p><a href="/docs">API reference</a></p><p>Guides</p><ul>${items}</ul>`
}
