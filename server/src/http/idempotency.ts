import { createHash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { IdempotencyKey } from '../engine/payment/once.ts'

interface Keyed {
  readonly method: string
  /** The URL as sent, with ids. */
  readonly url: string
  readonly headers: { readonly 'idempotency-key'?: string | undefined }
  /** The parsed body: the order of its fields makes no difference. */
  readonly body: unknown
}

/**
 * The request's Idempotency-Key, and a hash that differs for another request with the same key;
 * null without a key. The query makes no difference.
 */
export function idempotencyOf(request: Keyed): IdempotencyKey | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  const path = request.url.split('?', 1)[0] ?? ''
  const requestHash = createHash('sha256')
    .update(`${request.method} ${path}\n${canonicalJson(request.body)}`)
    .digest('hex')
  return { key, requestHash }
}
