import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeUnderTest } from '../../../test/support/store-under-test.ts'
import { silentLog } from '../log.ts'
import { arrayOf } from './binary-array.ts'
import { Database } from './database.ts'

describe('arrayOf', () => {
  let store: Awaited<ReturnType<typeof storeUnderTest>>
  let database: Database

  beforeAll(async () => {
    store = await storeUnderTest()
    database = new Database({ url: store.url, log: silentLog })
  })
  afterAll(async () => {
    await database.close()
    await store.close()
  })

  /** Sends an array to the server and returns its items in order. */
  const echo = async (type: string, array: Buffer | string): Promise<unknown[]> => {
    const text = `select item from unnest($1::${type}[]) with ordinality as a (item, place)
      order by place`
    const rows = await database.query<{ item: unknown }>({ name: `echo ${type}`, text }, [array])
    return rows.map(({ item }) => item)
  }

  const check = async <Item>(
    type: string,
    items: fc.Arbitrary<Item>,
    encode: (items: Item[]) => Buffer | string,
    read: (item: unknown) => unknown = (item) => item,
  ): Promise<void> => {
    const arrays = fc.array(fc.option(items, { nil: null }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(arrays, async (array) => {
        const back = await echo(type, encode(array as Item[])) // the encoders take nulls
        expect(back.map((item) => (item === null ? null : read(item)))).toEqual(array)
      }),
      { numRuns: 60 },
    )
  }

  const hasNul = (text: string): boolean => text.includes('\0')
  const awkward = fc.oneof(
    fc.string({ unit: 'grapheme' }).filter((text) => !hasNul(text)),
    fc.constantFrom('', 'null', 'NULL', '{}', '"', '\\', ',', ' ', 'a,b', '{a}', 'évt', '🦊'),
    fc.stringMatching(/^[\w:.-]{1,30}$/),
  )

  it('sends any texts unchanged', () => check('text', awkward, arrayOf.text))

  it('sends texts in the text form if no item must be escaped', async () => {
    const items = ['evt_01kdvdna00j1tf5mm1wgjr0a7j', 'a,b', '{c}', '', 'null', ' d ', '\n', "'"]
    expect(typeof arrayOf.text(items)).toBe('string')
    expect(await echo('text', arrayOf.text(items))).toEqual(items)
  })

  it('sends long texts unchanged', () => check('text', awkward, arrayOf.long))

  it('sends JSON texts unchanged to the byte', () =>
    check('json', fc.json({ stringUnit: 'grapheme' }), arrayOf.json))

  it('sends booleans, integers and instants unchanged', async () => {
    await check('boolean', fc.boolean(), arrayOf.boolean)
    await check('integer', fc.integer(), arrayOf.integer)
    await check('bigint', fc.maxSafeInteger(), arrayOf.bigint)
    const years = { min: Date.UTC(1970, 0, 1), max: Date.UTC(2285, 0, 1) }
    await check('timestamptz', fc.integer(years), arrayOf.instant)
  })

  it('sends hashes as bytes', () =>
    check('bytea', fc.stringMatching(/^[0-9a-f]{64}$/), arrayOf.hash, (bytes) =>
      Buffer.isBuffer(bytes) ? bytes.toString('hex') : bytes,
    ))

  it('sends no items as an empty array of the type', async () => {
    for (const [type, array] of [
      ['text', arrayOf.text([])],
      ['json', arrayOf.json([])],
      ['bigint', arrayOf.bigint([])],
      ['bytea', arrayOf.hash([])],
    ] as const) {
      expect(await echo(type, array)).toEqual([])
    }
  })
})
