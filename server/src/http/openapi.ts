import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from './access.ts'
import type { App } from './context.ts'
import { json, problemsOf, securityOf, securitySchemes } from './describe.ts'
import { tidyContract } from './openapi-tidy.ts'
import { sendJson } from './show.ts'

const access: Access = { who: 'anyone' }

/** What the page of the contract may load: only what comes from here. */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Collects the contract from the routes that are registered after it, and serves it. */
export async function publishContract(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Settlewire',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
        description:
          'What is true about a payment, the instant it becomes true. Errors are RFC 9457 problem documents; decide by their `code`. Amounts are decimal strings, times RFC 3339 in UTC with milliseconds. Another merchant’s ids answer 404, as unknown ones do.',
      },
      components: { securitySchemes },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => tidyContract(jsonSchemaTransformObject(document)),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: { title: 'Settlewire API' },
    uiConfig: { deepLinking: true, displayRequestDuration: true },
  })
  let contract = ''
  // All routes are there by then. A contract that cannot be printed stops the start, not a request.
  app.addHook('onReady', async () => {
    contract = JSON.stringify(app.swagger())
  })
  app.get(
    '/openapi.json',
    {
      config: { access },
      schema: {
        tags: ['Operation'],
        summary: 'This contract',
        security: securityOf(access),
        response: { 200: json('OpenAPI 3.1.', z.looseObject({})), ...problemsOf(access) },
      },
    },
    async (_, reply) => {
      reply.header('cache-control', 'no-cache')
      return sendJson(reply, contract)
    },
  )
}
