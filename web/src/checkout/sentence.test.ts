import { expect, it } from 'vitest'
import { partsOf } from './sentence.tsx'

const fixedIn = (text: string) => partsOf(text).flatMap((one) => (one.isFixed ? [one.text] : []))

it.each([
  ['150.00 USDC.e came on Polygon.', ['150.00 USDC.e']],
  ['Confirmed 5 of 12, about 40 s.', ['5', '12', '40 s']],
  ['Ended 28 Nov, 17:33', ['28 Nov, 17:33']],
  ['Seen at 17:33:05', ['17:33:05']],
  ['50.00 of 1\u202f250.00 arrived; 100.00 missing.', ['50.00', '1\u202f250.00', '100.00']],
  ['From 0x5FbD… to …0aa3.', ['0x5FbD…', '…0aa3']],
  ['1.00 Sorry', ['1.00']],
  ['Nothing to keep.', []],
])('marks amounts, times and codes as not to translate: %s', (text, kept) => {
  expect(fixedIn(text)).toEqual(kept)
  expect(
    partsOf(text)
      .map((one) => one.text)
      .join(''),
  ).toBe(text)
})
