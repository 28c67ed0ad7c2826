import { hash } from 'node:crypto'
import type { Digest } from '@settlewire/core/history/seal'

/** What seals are made with. */
export const digest: Digest = {
  sha256: (text) => hash('sha256', text),
  bytes: (text) => Buffer.byteLength(text),
}
