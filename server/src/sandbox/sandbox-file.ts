import { join } from 'node:path'
import { writeWhole } from '../whole-file.ts'
import type { TestToken } from './token.ts'

/** What a program needs to use a running sandbox. Holds a test key: only its owner may read it. */
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
  /** An unlocked account of the chain that holds the token. */
  readonly payer: string
}

/**
 * Writes `sandbox.json` into the data directory, whole or not at all. Call it when the server
 * answers: whoever waits for the file starts at once.
 */
export function writeSandboxFile(home: string, content: SandboxFile): void {
  writePrivate(join(home, 'sandbox.json'), content)
}

/** Replaces a JSON file in one step, readable by its owner alone from its first byte. */
export const writePrivate = (path: string, content: object): void =>
  writeWhole(path, `${JSON.stringify(content, null, 2)}\n`)
