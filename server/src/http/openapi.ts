import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from './access.ts'
import type { App } from './context.ts'
import { json, problemsOf, securityOf, securitySchemes } from './describe.ts'
import { docsTheme } from './docs-theme.ts'
import { tidyContract } from './openapi-tidy.ts'
import { sendBytes } from './show.ts'

const access: Access = { who: 'anyone' }

/**
 * What the page of the contract may load: only what comes from here. The hash is of the one style
 * attribute that Swagger UI writes itself, to hide its icons; a new one would show in the browser's log.
 */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
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
      tags: [
        { name: 'Payment intents', description: 'Requests to be paid, and what becomes of them.' },
        { name: 'Events', description: 'Everything that became true, in order.' },
        { name: 'Chains', description: 'What can be paid with, and how well it is seen.' },
        { name: 'Checkout', description: 'For people.' },
        {
          name: 'Sandbox',
          description: 'In test mode only: real transactions on the local chain.',
        },
        { name: 'Operation', description: 'For machines that look after this one.' },
      ],
      components: { securitySchemes },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => tidyContract(jsonSchemaTransformObject(document)),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: {
      title: 'Settlewire API',
      css: [{ filename: 'settlewire.css', content: docsTheme }],
    },
    // Without the bar on top: there is one contract here, and it is this one.
    uiConfig: { layout: 'BaseLayout', deepLinking: true, displayRequestDuration: true },
  })
  let contract = Buffer.alloc(0)
  // All routes are there by then. A contract that cannot be printed stops the start, not a request.
  app.addHook('onReady', async () => {
    contract = Buffer.from(JSON.stringify(app.swagger()))
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
      return sendBytes(reply, 'application/json; charset=utf-8', contract)
    },
  )
}
