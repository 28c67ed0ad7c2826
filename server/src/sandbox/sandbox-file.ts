import { join } from 'node:path'
import { writeWhole } from '../whole-file.ts'
import type { TestToken } from './token.ts'

/** Everything that a program needs to use a running sandbox. It contains a test key. */
export interface SandboxFile {
  readonly url: string
  readonly merchantId: string
  readonly secretKey: string
  readonly publishableKey: string
  readonly rpcUrl: string
  readonly wsUrl: string
  readonly chain: string
  readonly chainId: number
  readonly token: TestToken
  /** An unlocked account of the chain that has the token. */
  readonly payer: string
}

/**
 * Writes `sandbox.json` into the data directory, atomically. Must be called when the server
 * answers: programs that wait for the file start at once.
 */
export function writeSandboxFile(home: string, content: SandboxFile): void {
  writePrivate(join(home, 'sandbox.json'), content)
}

/** Replaces a JSON file atomically. Only its owner can read it, from the first byte on. */
export const writePrivate = (path: string, content: object): void =>
  writeWhole(path, `${JSON.stringify(content, null, 2)}\n`)
