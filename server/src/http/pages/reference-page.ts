import { code, type Html, html } from '../../html.ts'
import { guideList } from './guide-list.ts'
import { readerLayout } from './layout.ts'
import { inMarkdown } from './markdown.ts'
import { idOfSchema, type JsonSchema, rowsOf, typeOf } from './schema-text.ts'

/** The part of the OpenAPI document that the page uses. It is printed from our own routes. */
export interface Contract {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>
  }
}

interface Operation {
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: JsonSchema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, Media>> }
    >
  >
}

interface Media {
  readonly schema: JsonSchema
}

interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

const idOf = ({ method, path }: Route): string =>
  `${method}${path.replace(/[^a-z0-9]+/gi, '-').replace(/-$/, '')}`
const idOfTag = (name: string): string => name.toLowerCase().replaceAll(' ', '-')

/** Names of credentials in the description of a route. */
const credentials: Readonly<Record<string, string>> = {
  key: 'a key',
  clientSecret: 'the client secret of the payment',
  checkoutCookie: 'the cookie of the checkout page',
}

/** The API reference for people: one page without a script, rendered once. */
export function referencePage(contract: Contract, origin: string): Html {
  const routes = Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const groups = contract.tags
    .map((tag) => ({
      ...tag,
      routes: routes.filter(({ operation }) => operation.tags.includes(tag.name)),
    }))
    .filter((group) => group.routes.length > 0)
  const { info, components } = contract
  const main = html`<h1>${info.title} API, version ${info.version}</h1>${inMarkdown(info.description)}<p>The same for programs: <a href="/openapi.json">openapi.json</a>.</p><h2 id="credentials">Credentials</h2><dl>${Object.entries(components.securitySchemes).map(([name, { description }]) => html`<dt><strong>${credentials[name] ?? name}</strong></dt><dd>${inMarkdown(description)}</dd>`)}</dl>${groups.map(
    (group) =>
      html`<h2 id="${idOfTag(group.name)}">${group.name}</h2><p>${group.description}</p>${group.routes.map((route) => routeSection(route, { contract, origin }))}`,
  )}<h2 id="schemas">Schemas</h2>${Object.entries(components.schemas).map(schemaSection)}`
  const menu = groups.map(
    (group) =>
      html`<p><a href="#${idOfTag(group.name)}">${group.name}</a></p><ul>${group.routes.map((route) => html`<li><a href="#${idOf(route)}">${route.operation.summary}</a></li>`)}</ul>`,
  )
  return readerLayout('Settlewire API', {
    main,
    menu: html`${guideList(null)}${menu}<p><a href="#schemas">Schemas</a></p>`,
  })
}

interface Around {
  readonly contract: Contract
  readonly origin: string
}

function routeSection(route: Route, around: Around): Html {
  const { method, path, operation } = route
  const who = operation.security.flatMap((each) => Object.keys(each))
  const needs =
    who.length === 0
      ? 'Needs no credentials.'
      : `Takes ${who.map((name) => credentials[name] ?? name).join(', or ')}.`
  return html`<section><h3 id="${idOf(route)}" class="route"><span class="method">${method.toUpperCase()}</span>${code(path)}</h3><p><strong>${operation.summary}.</strong> ${needs}</p>${inMarkdown(operation.description ?? '')}${parameters(operation)}${body(route, around)}<h4>Answers</h4>${answers(operation)}</section>`
}

function parameters({ parameters = [] }: Operation): Html {
  if (parameters.length === 0) return html``
  const rows = parameters.map(
    ({ name, in: place, required, schema, description }) =>
      html`<tr><td>${code(name)}<br>${place}${required ? '' : ', may be missing'}</td><td>${typeOf(schema)}</td><td>${inMarkdown(description ?? schema.description ?? '')}</td></tr>`,
  )
  return table('Parameters', ['name', 'takes', 'means'], rows)
}

/**
 * The form of the body if the route takes one, and for routes of the API a command that calls it.
 */
function body(route: Route, { contract, origin }: Around): Html {
  const schema = route.operation.requestBody?.content['application/json']?.schema
  const takes = schema === undefined ? html`` : html`<h4>Body</h4><p>JSON: ${typeOf(schema)}</p>`
  const isRead = route.method === 'get'
  if (!route.path.startsWith('/v1/')) return takes
  const name = schema?.$ref?.split('/').at(-1) ?? ''
  const example = (contract.components.schemas[name] ?? schema)?.examples?.[0]
  const lines = [
    `curl ${isRead ? '' : '-X POST '}${origin}${route.path.replace('{id}', '$ID')} -H "Authorization: Bearer $KEY"`,
    ...(example === undefined
      ? []
      : [
          '  -H "Content-Type: application/json"',
          `  -d '${inQuotes(JSON.stringify(example, null, 2))}'`,
        ]),
  ]
  return html`${takes}<h4>Example</h4><pre tabindex="0" translate="no">${lines.join(' \\\n')}</pre>`
}

/** Escapes a text for single quotes in a shell. */
const inQuotes = (text: string): string => text.replaceAll("'", `'\\''`)

function answers({ responses }: Operation): Html {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const types = Object.entries(content).map(
      ([type, { schema }]) => html`${type.includes('json') ? typeOf(schema) : type} `,
    )
    return html`<tr><td>${status}</td><td>${inMarkdown(description)}</td><td>${types}</td></tr>`
  })
  return tableOf(['status', 'when', 'form'], rows)
}

function schemaSection([name, schema]: readonly [string, JsonSchema]): Html {
  const rows = rowsOf(schema).map(
    (row) =>
      html`<tr><td>${code(row.name)}${row.note === '' ? '' : html`<br>${row.note}`}</td><td>${typeOf(row.schema)}</td><td>${inMarkdown(row.description)}</td></tr>`,
  )
  return html`<section><h3 id="${idOfSchema(name)}">${name}</h3>${inMarkdown(schema.description ?? '')}${rows.length === 0 ? html`<p>${typeOf(schema)}</p>` : tableOf(['field', 'holds', 'means'], rows)}</section>`
}

const table = (title: string, head: readonly string[], rows: readonly Html[]): Html =>
  html`<h4>${title}</h4>${tableOf(head, rows)}`

/** A table that may be wider than a phone: it scrolls by itself, also by keyboard. */
const tableOf = (head: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0"><table><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`
