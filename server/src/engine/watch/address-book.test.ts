import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AddressBook } from './address-book.ts'

const addressOf = (n: number): string =>
  `0x${createHash('sha256').update(`${n}`).digest('hex').slice(0, 40)}`
const wordOf = (address: string): string => `0x${'0'.repeat(24)}${address.slice(2)}`

describe('AddressBook', () => {
  it('never rules out an address that it holds, in any case and with any padding', () => {
    const book = new AddressBook()
    for (let n = 0; n < 10_000; n++) book.add(addressOf(n), `pi_${n}`)
    for (let n = 0; n < 10_000; n++) {
      const address = addressOf(n)
      expect(book.mayHold(address)).toBe(true)
      expect(book.mayHold(wordOf(address))).toBe(true)
      expect(book.mayHold(wordOf(address).toUpperCase())).toBe(true)
    }
  })

  it.each([1, 409, 410, 6_553, 6_554, 100_000])(
    'rules out at least 97 of 100 other addresses while it holds %i, and none of its own',
    (size) => {
      const book = new AddressBook()
      for (let n = 0; n < size; n++) book.add(addressOf(n), `pi_${n}`)
      for (let n = 0; n < size; n++) if (!book.mayHold(wordOf(addressOf(n)))) expect.fail(`${n}`)
      let maybe = 0
      for (let n = 100_000; n < 200_000; n++) if (book.mayHold(wordOf(addressOf(n)))) maybe++
      expect(maybe).toBeLessThan(3_000)
    },
  )

  it('keeps an address with the same last digits as a removed one, and forgets removed ones', () => {
    const book = new AddressBook()
    const one = `0x${'1'.repeat(34)}abcdef`
    const other = `0x${'2'.repeat(34)}abcdef`
    book.add(one, 'pi_1')
    book.add(other, 'pi_2')
    book.add(other, 'pi_2')
    book.remove(one, 'pi_2')
    book.remove(one, 'pi_1')
    expect([book.has(one), book.has(other), book.mayHold(other)]).toEqual([false, true, true])
    book.remove(other, 'pi_2')
    expect(book.mayHold(other)).toBe(false)
    expect(book.joined).toBe(3)
  })

  it('keeps an address after 299 others with its last digits were removed', () => {
    const book = new AddressBook()
    const alike = Array.from({ length: 300 }, (_, n) => `0x${String(n).padStart(34, '0')}abcdef`)
    for (const address of alike) book.add(address, 'pi_1')
    for (const address of alike.slice(1)) book.remove(address, 'pi_1')
    expect(book.mayHold(alike[0] ?? '')).toBe(true)
  })

  it('accepts a text without digits', () => {
    const book = new AddressBook()
    expect([book.mayHold(''), book.mayHold('0x'), book.mayHold('zzzzzzzz')]).toEqual([
      false,
      false,
      false,
    ])
  })
})
