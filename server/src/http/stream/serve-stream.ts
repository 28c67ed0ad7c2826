import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { principalOf } from '../access.ts'
import type { HttpContext } from '../context.ts'
import type { Sse } from './sse.ts'
import type { StreamWish } from './stream-plan.ts'

/** What a route asks of a stream. */
export interface StreamOrder extends StreamWish {
  /** Null for a feed. */
  readonly paymentId: string | null
  readonly merchantId: string
}

/**
 * Answers an authorized request with a stream. It is counted until it ends, and ends when its key
 * is no longer valid. Throws the code of a limit, before anything is written.
 */
export async function serveStream(
  { sse, context }: { readonly sse: Sse; readonly context: HttpContext },
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { paymentId, merchantId, ...order }: StreamOrder,
): Promise<void> {
  const principal = principalOf(request)
  const address = context.clientOf(request.raw)
  const leave = context.streamLimits.enter({ paymentId, merchantId, address })
  let isOpen = false
  try {
    reply.hijack()
    isOpen = await sse.handle({
      ...order,
      response: reply.raw,
      hold: (refused) => {
        const release = context.keyWatch.hold(principal, refused)
        return () => {
          release()
          leave()
        }
      },
      // The same headers in Fastify's and Node's types.
      headers: reply.getHeaders() as OutgoingHttpHeaders,
      since: request.since,
    })
  } finally {
    if (!isOpen) leave()
  }
}
