import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { principalOf } from '../access.ts'
import type { HttpContext } from '../context.ts'
import type { Sse } from './sse.ts'
import type { StreamOwner } from './stream-limits.ts'
import type { StreamWish } from './stream-plan.ts'

/**
 * Answers an authorized request with a stream. It is counted until it ends, and ends when its key
 * is no longer valid. Throws the code of a limit, before anything is written.
 */
export async function serveStream(
  { sse, context }: { readonly sse: Sse; readonly context: HttpContext },
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { paymentId, merchantId, ...wish }: StreamWish & Omit<StreamOwner, 'address'>,
): Promise<void> {
  const principal = principalOf(request)
  const owner = { paymentId, merchantId, address: context.clientOf(request.raw) }
  context.streamLimits.enter(owner)
  let isOpen = false
  try {
    reply.hijack()
    isOpen = await sse.handle({
      ...wish,
      owner,
      response: reply.raw,
      hold: (refused) => context.keyWatch.hold(principal, refused),
      // The same headers in Fastify's and Node's types.
      headers: reply.getHeaders() as OutgoingHttpHeaders,
      since: request.since,
    })
  } finally {
    if (!isOpen) context.streamLimits.leave(owner)
  }
}
