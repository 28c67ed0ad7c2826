import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../access.ts'
import type { App } from '../context.ts'
import { json, problemsOf, securityOf, securitySchemes } from './describe.ts'
import { tidyContract } from './openapi-tidy.ts'
import { sendBytes } from './show.ts'

const access: Access = { who: 'anyone' }

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
