import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { artifactUrl, compile, contracts } from '../../scripts/compile-contracts.ts'

/** The first test runs the compiler for all contracts. */
const compiledWithinMs = 180_000

describe('the committed artifacts of the sandbox contracts', () => {
  it.each(contracts)(
    'are byte for byte what %s compiles to',
    (contract) => {
      const committed: unknown = JSON.parse(readFileSync(artifactUrl(contract), 'utf8'))
      expect(committed, 'run `npm run contracts`').toEqual(compile(contract))
    },
    compiledWithinMs,
  )
})
