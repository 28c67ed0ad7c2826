import { type ErrorCode, errorCatalogue } from '@settlewire/core/errors'
import { z } from 'zod'
import type { RouteAccess } from '../access.ts'
import { problemType } from '../problem.ts'
import { problem } from './answer-schema.ts'

/** The credentials, as OpenAPI security schemes. */
export const securitySchemes = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A secret key (`sk_…`), or a restricted key (`rk_…`) with the scope that the route lists here. Publishable keys (`pk_…`) can only read `GET /v1/chains`, no payments.',
  },
  clientSecret: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The `clientSecret` of this payment, valid from its creation until 24 h after `monitorUntil`.',
  },
  checkoutCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'settlewire_checkout',
    description: 'The checkout page sets this cookie for its own payment.',
  },
} as const

type SchemeName = keyof typeof securitySchemes

/** The credentials that a route accepts, as OpenAPI `security`. Derived from its `access`. */
export function securityOf(access: RouteAccess): Partial<Record<SchemeName, string[]>>[] {
  switch (access.who) {
    case 'anyone':
      return []
    case 'key':
    case 'owner':
      return [{ key: rolesOf(access) }]
    case 'owner_or_client':
      return [{ key: rolesOf(access) }, { clientSecret: [] }, { checkoutCookie: [] }]
  }
}

/** The scope that a restricted key must have; OpenAPI calls such names roles. */
const rolesOf = ({ scope }: Exclude<RouteAccess, { readonly who: 'anyone' }>): string[] =>
  scope === 'identity' ? [] : [scope]

const ofKeys = [
  ...(['unauthenticated', 'key_revoked', 'key_expired', 'merchant_disabled'] as const),
  ...(['scope_missing', 'forbidden'] as const),
] satisfies readonly ErrorCode[]

/** The errors that every route with this access can answer. */
const byAccess: Readonly<Record<RouteAccess['who'], readonly ErrorCode[]>> = {
  anyone: [],
  key: ofKeys,
  owner: [...ofKeys, 'not_found'],
  owner_or_client: [...ofKeys, 'not_found'],
}

const ofEveryRoute: readonly ErrorCode[] = ['internal', 'shutting_down']
const ofStored: readonly ErrorCode[] = ['store_unavailable']

/** The problems of a route by status, for its `response` schema. `own`: errors specific to it. */
export function problemsOf(access: RouteAccess, own: readonly ErrorCode[] = []) {
  const stored = access.who === 'anyone' ? [] : ofStored
  const codes = new Set([...byAccess[access.who], ...own, ...stored, ...ofEveryRoute])
  const byStatus: Record<number, { description: string; content: typeof content }> = {}
  for (const code of codes) {
    const { status, title } = errorCatalogue[code]
    const line = `\`${code}\`: ${title}`
    const known = byStatus[status]?.description
    byStatus[status] = { description: known ? `${known}\n\n${line}` : line, content }
  }
  return byStatus
}

const content = { [problemType]: { schema: problem } }

/** The errors of a body, an Idempotency-Key, and a query. */
export const bodyProblems = [
  'invalid_request',
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies readonly ErrorCode[]
export const keyProblems = [
  'idempotency_key_reused',
  'idempotency_in_progress',
  'overloaded',
] as const satisfies readonly ErrorCode[]
export const queryProblems = ['invalid_request'] as const satisfies readonly ErrorCode[]
/** Beyond the limits of streams and held long-polls. */
export const streamProblems = [
  'too_many_streams_of_payment',
  'too_many_streams_of_merchant',
  'too_many_streams_of_address',
] as const satisfies readonly ErrorCode[]

/** A JSON answer, for a `response` schema. */
export const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { 'application/json': { schema } },
})

/** An answer of another type, for a `response` schema. */
export const text = (description: string, type: string) => ({
  description,
  content: { [type]: { schema: z.string() } },
})
