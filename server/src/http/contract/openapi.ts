import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { RouteAccess } from '../access.ts'
import type { App } from '../context.ts'
import { json, problemsOf, securityOf, securitySchemes } from './describe.ts'
import { tidyContract } from './openapi-tidy.ts'
import { sendBytes } from './show.ts'

const access: RouteAccess = { who: 'anyone' }

/** Collects the OpenAPI document from all routes registered after this call, and serves it. */
export async function publishContract(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Settlewire',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
        description:
          'The state of a payment, pushed the instant it changes. Errors are RFC 9457 problem documents; programs decide by their `code`. Amounts are decimal strings, times RFC 3339 in UTC with milliseconds. Ids of another merchant get 404, like unknown ids.',
      },
      tags: [
        { name: 'Payment intents', description: 'Requests to be paid, and their state.' },
        { name: 'Events', description: 'All events of all payments, in order.' },
        { name: 'Chains', description: 'Chains and assets to pay with, and their visibility.' },
        { name: 'Checkout', description: 'The page for payers.' },
        {
          name: 'Sandbox',
          description: 'In test mode only: real transactions on the local chain.',
        },
        { name: 'Operation', description: 'For load balancers, monitoring and tools.' },
      ],
      components: { securitySchemes },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => tidyContract(jsonSchemaTransformObject(document)),
  })
  let contract = Buffer.alloc(0)
  // All routes are registered by then. If printing fails, the start fails and not a request.
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
