import { encode } from 'uqr'
import { expect, it } from 'vitest'
import { fixtures } from '../../../test/support/checkout-fixtures.ts'
import { drawn } from './qr.tsx'

it('the QR code draws every dark cell once, and no other cell', () => {
  const text = fixtures.awaiting.accept[0]?.uri ?? ''
  const { path, size } = drawn(text)
  const cells = Array.from({ length: size }, () => Array.from({ length: size }, () => false))
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let i = 0; i < Number(run); i++) {
      const row = cells[Number(y)] ?? []
      expect(row[Number(x) + i]).toBe(false)
      row[Number(x) + i] = true
    }
  }
  expect(cells).toEqual(encode(text, { ecc: 'M', border: 0 }).data)
})
