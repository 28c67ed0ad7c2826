import { hash } from 'node:crypto'
import type { Digest } from '@settlewire/core/history/seal'

/** The hash and the byte count that seals need. */
export const digest: Digest = {
  sha256: (text) => hash('sha256', text),
  byteLength: (text) => Buffer.byteLength(text),
}
