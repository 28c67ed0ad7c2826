import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { artifactUrl, compile, contracts } from '../../scripts/compile-contracts.ts'

/** The first one runs the compiler, for all of them. */
const compiledWithinMs = 180_000

describe('the contracts of the sandbox', () => {
  it.each(contracts)(
    'have a committed artifact that %s compiles to, byte for byte',
    (contract) => {
      const committed: unknown = JSON.parse(readFileSync(artifactUrl(contract), 'utf8'))
      expect(committed, 'run `npm run contracts`').toEqual(compile(contract))
    },
    compiledWithinMs,
  )
})
