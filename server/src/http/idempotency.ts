import { createHash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { IdempotencyKey } from '../engine/payment/once.ts'

interface Keyed {
  readonly method: string
  /** As it was asked for, with ids. */
  readonly url: string
  readonly headers: { readonly 'idempotency-key'?: string | undefined }
  /** As it was parsed: the order of its members makes no difference. */
  readonly body: unknown
}

/** The key a request came with, and what tells it from another request with the same key. */
export function idempotencyOf(request: Keyed): IdempotencyKey | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  const path = request.url.split('?', 1)[0] ?? ''
  const requestHash = createHash('sha256')
    .update(`${request.method} ${path}\n${canonicalJson(request.body)}`)
    .digest('hex')
  return { key, requestHash }
}
