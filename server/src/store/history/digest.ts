import { hash } from 'node:crypto'
import type { Digest } from '@settlewire/core/history/seal'

/** The hash functions for seals. */
export const digest: Digest = {
  sha256: (text) => hash('sha256', text),
  bytes: (text) => Buffer.byteLength(text),
}
