import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dumpOf } from '../../../../test/support/history-dump.ts'
import { ask, move, payoutKind } from '../../../../test/support/payout-kind.ts'
import { execute, queryAs } from '../../../../test/support/postgres-server.ts'
import { ScriptedPayment, scriptPolicy } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { appendOf } from '../../engine/write/draft.ts'
import type { EventStore } from '../../ports/history.ts'
import { audit, ownKinds, type Report } from './audit.ts'
import { DatabaseSource } from './database-source.ts'
import { DumpSource } from './dump-source.ts'
import { foldingOf } from './event-check.ts'
import type { AuditScope } from './source.ts'

let database: Awaited<ReturnType<typeof storeUnderTest>>
let store: EventStore
let paid: ScriptedPayment
let other: ScriptedPayment

beforeEach(async () => {
  database = await storeUnderTest()
  const { events, policies } = database.open()
  store = events
  await policies.keep(scriptPolicy(3))
  const awkward = { reference: 'a "b"\t\\c\n{d} 🦊', metadata: { $big: '7', 'x\\': 'ü\u0000' } }
  paid = new ScriptedPayment(awkward)
  other = new ScriptedPayment({ merchantId: 'mer_other' })
  const live = new ScriptedPayment({ livemode: true })
  const payments = [paid, other, live]
  await store.append({ appends: payments.map((payment) => payment.opening()) })
  while (paid.goesOn) await store.append({ appends: payments.map((payment) => payment.step()) })
  await store.append({ appends: [new ScriptedPayment().opening()] })
})
afterEach(() => database.close())

const kinds = new Map([...ownKinds, [payoutKind.name, foldingOf(payoutKind)]])

async function inDatabase(scope: AuditScope = {}): Promise<Report> {
  const source = await DatabaseSource.open(database.url)
  const report = await audit({ source, scope, builtIn: [], kinds })
  await source.close()
  return report
}

async function inDump(scope: AuditScope = {}): Promise<Report> {
  const dump = await dumpOf(database.url)
  const source = await DumpSource.open(dump.path)
  const report = await audit({ source, scope, builtIn: [], kinds })
  await source.close()
  await dump.remove()
  return report
}

/** Edits the history as the database owner can: with the triggers of `event` disabled. */
const edit = (sql: string): Promise<void> =>
  execute(database.url, `alter table event disable trigger all; ${sql}`)

/** The first finding, which must be the same from the database and from a dump. */
async function firstFound(scope: AuditScope = {}): Promise<string> {
  const [here, there] = [await inDatabase(scope), await inDump(scope)]
  expect(there).toEqual(here)
  const [first] = here.findings
  return first === undefined ? 'nothing' : `${first.where}: ${first.what}`
}

const ofPaid = (sequence: number) => `subject_id = '${paid.id}' and sequence = ${sequence}`
const event = (payment: ScriptedPayment, sequence: number): string =>
  `event ${payment.events[sequence - 1]?.id}, payment_intent.${payment.events[sequence - 1]?.type}, ` +
  `sequence ${sequence} of payment_intent ${payment.id}, position`

describe('audit of an untouched history', () => {
  it('finds nothing, in the whole history or in the scope of one merchant or mode', async () => {
    expect(await inDatabase()).toEqual({
      subjects: 4,
      events: 19,
      feeds: 3,
      found: 0,
      findings: [],
    })
    expect(await inDump()).toEqual(await inDatabase())
    expect(await inDatabase({ merchantId: 'mer_other' })).toMatchObject({ subjects: 1, found: 0 })
    expect(await inDatabase({ livemode: true })).toMatchObject({ subjects: 1, events: 6, found: 0 })
    expect(await inDump({ merchantId: 'mer_test', livemode: false })).toMatchObject({
      ...{ subjects: 2, events: 7, feeds: 1, found: 0 },
    })
  })

  it('finds nothing after a watch has ended, although that adds no event', async () => {
    await store.release([{ paymentId: paid.id, sequence: 6 }])
    const [row] = await queryAs<{ due_at: unknown }>(
      database.url,
      `select due_at from subject where id = '${paid.id}'`,
    )
    expect(row).toEqual({ due_at: null })
    expect(await firstFound()).toBe('nothing')
  })

  it('also folds and checks subjects of another kind', async () => {
    const at = Date.UTC(2026, 0, 1)
    const asked = ask({
      ...{ id: 'po_1', merchantId: 'mer_test', livemode: false, createdAt: at },
      ...{ to: '0xthem', amount: 5n },
    })
    const sent = move(asked.after, 'sent', '0xa')
    for (const decision of [asked, sent]) {
      const { state, events } = payoutKind.decided(decision)
      const expectedSequence = state.sequence - 1
      await store.append({
        appends: [appendOf(payoutKind, { expectedSequence, events, state, depositIndex: null })],
      })
    }
    expect(await firstFound()).toBe('nothing')
    await edit(`update transfer set amount = 6 where subject_id = 'po_1'`)
    expect(await firstFound()).toMatch(
      /^row of transfer of payout po_1: amount is "6", its events say "5"/,
    )
  })
})

describe('audit of a history that the database owner has edited', () => {
  const broken = 'its seal does not match its content and the seal of the previous event'

  it.each([
    ['the data', `data = replace(data::text, '150.00', '150.01')::json`],
    ['the data, by one blank', `data = (data::text || ' ')::json`],
    ['the evidence', `evidence = replace(evidence::text, 'rpc:one', 'rpc:two')::json`],
    ['the time', `at = at + interval '1 millisecond'`],
    ['the type', `type = 'payment_intent.updated'`],
    ['the id', `id = 'evt_0000000000000000000000000'`],
    ['the seal', `seal = decode(repeat('ab', 32), 'hex')`],
  ])('reports an event with a change in %s', async (_, change) => {
    await edit(`update event set ${change} where ${ofPaid(2)}`)
    const found = await firstFound()
    expect(found).toContain(`sequence 2 of payment_intent ${paid.id}`)
    expect(found).toContain(broken)
  })

  it('reports that the last event of a subject is missing', async () => {
    await edit(`delete from event where ${ofPaid(6)}`)
    expect(await firstFound()).toMatch(
      new RegExp(`^${event(paid, 5)} .*: event 6 of the subject is missing after this event$`),
    )
  })

  it('reports that an event in the middle is missing', async () => {
    await edit(`delete from event where ${ofPaid(3)}`)
    expect(await firstFound()).toMatch(
      new RegExp(`^${event(paid, 4)} .*: event 3 of the subject is missing before this event$`),
    )
  })

  it('reports the gap in the feed when all rows of a subject are deleted', async () => {
    for (const table of [
      'event',
      'subject_state',
      'subject_address',
      'transaction',
      'inclusion',
      'transfer',
    ]) {
      await edit(`delete from ${table} where subject_id = '${other.id}'`)
    }
    await edit(`delete from subject where id = '${other.id}'`)
    expect(await firstFound()).toBe('feed of mer_other (test): the event at position 1 is missing')
  })

  it('reports events whose merchants were swapped', async () => {
    const swapped = `case merchant_id when 'mer_test' then 'mer_other' else 'mer_test' end`
    await edit(`alter table event drop constraint event_merchant_id_livemode_position_key;
      update event set merchant_id = ${swapped} where not livemode`)
    const report = await inDatabase()
    expect(report.findings[0]?.where).toMatch(/^event .* sequence 1 of payment_intent/)
    expect(report.findings[0]?.what).toBe(broken)
    expect(await inDump()).toEqual(report)
  })

  it('reports a changed merchant in the row of a subject', async () => {
    await edit(`update subject set merchant_id = 'mer_other' where id = '${paid.id}'`)
    expect(await firstFound()).toBe(
      `row of subject of payment_intent ${paid.id}: merchant_id is "mer_other", its events say "mer_test"`,
    )
  })

  it('reports events of one subject whose positions do not ascend', async () => {
    await edit(`update event set position = 1000 where ${ofPaid(2)}`)
    expect(await firstFound()).toMatch(
      /its position must be greater than 1000, the position of the previous event/,
    )
  })

  it.each([
    [
      'the seal of the last event',
      'subject_state',
      `head_seal = decode(repeat('ab', 32), 'hex')`,
      'head_seal is',
    ],
    [
      'the state',
      'subject_state',
      `standing = replace(standing, 'succeeded', 'failed')`,
      'standing is',
    ],
    [
      'the last sequence of a subject',
      'subject_state',
      'sequence = 5',
      'sequence is "5", its events say "6"',
    ],
    ['a part of the state', 'transaction', `part = replace(part, '150000000', '1')`, 'part is'],
    ['a transaction', 'transaction', 'final = not final', 'final is "f", its events say "t"'],
    ['an inclusion', 'inclusion', 'canonical = false', 'canonical is "f", its events say "t"'],
    [
      'a transfer',
      'transfer',
      'amount = amount + 1',
      'amount is "150000001", its events say "150000000"',
    ],
    ['an address', 'subject_address', `address = '0xmine'`, 'address is "0xmine"'],
  ])('reports a change to %s', async (_, table, change, words) => {
    await edit(`update ${table} set ${change} where subject_id = '${paid.id}'`)
    expect(await firstFound()).toContain(`row of ${table} of payment_intent ${paid.id}: ${words}`)
  })

  it('reports a changed status in the row of a subject', async () => {
    await edit(`update subject set status = 'awaiting' where id = '${paid.id}'`)
    expect(await firstFound()).toBe(
      `row of subject of payment_intent ${paid.id}: status is "awaiting", its events say "succeeded"`,
    )
  })

  it('reports a missing row and an unexpected row', async () => {
    await edit(`delete from transfer where subject_id = '${paid.id}'`)
    expect(await firstFound()).toMatch(/^row of transfer of .*: a row is missing: .*150000000/)
    await edit(`insert into subject_address values ('0xmine', '${other.id}', 'mer_other')`)
    const { findings } = await inDatabase()
    expect(findings.map(({ what }) => what).join()).toMatch(/unexpected row: .*0xmine/)
  })

  it('reports rows of a subject that has no events', async () => {
    await edit(`insert into subject (id, kind, merchant_id, livemode, created_at, status, flags)
      values ('pi_0', 'payment_intent', 'mer_test', false, now(), 'succeeded', '{}')`)
    expect(await firstFound()).toBe('payment_intent pi_0: it has rows but no events')
  })

  it.each([
    ['transfer', `update transfer set subject_id = 'pi_ghost'`],
    ['transaction', `update transaction set subject_id = 'pi_ghost'`],
    ['inclusion', `update inclusion set subject_id = 'pi_ghost'`],
  ])('reports rows of %s whose subject has no other row', async (_, change) => {
    await edit(`${change} where subject_id = '${other.id}'`)
    const report = await inDatabase()
    expect(await inDump()).toEqual(report)
    expect(report.findings).toContainEqual({
      ...{ where: 'subject pi_ghost', what: 'it has rows but no events' },
    })
  })

  it.each(['pi_0', 'zz'])('reports an address row of the unknown subject %s', async (ghost) => {
    await edit(`insert into subject_address values ('0xghost', '${ghost}', 'mer_test')`)
    expect(await firstFound()).toBe(`subject ${ghost}: it has rows but no events`)
  })

  it.each([
    ['a merchant that has no feed', `'mer_new', livemode, 1`, 'mer_new', 'its counter is at 0'],
    ['a feed, far after its end', `merchant_id, livemode, 1000000`, 'mer_other', 'is missing'],
  ])('reports an event without the first of its subject, in %s', async (_, place, feed, words) => {
    await edit(`insert into event (merchant_id, livemode, position, kind, subject_id, sequence,
        id, type, at, data, evidence, seal)
      select ${place}, kind, 'pi_ghost', 2, 'evt_ghost', type, at, data, evidence, seal
      from event where subject_id = '${other.id}' and sequence = 2`)
    const report = await inDatabase()
    expect(await inDump()).toEqual(report)
    expect(report.subjects).toBe(5)
    const found = report.findings.map(({ where, what }) => `${where}: ${what}`)
    expect(found.join('\n')).toMatch(/event evt_ghost, .*: event 1 of the subject is missing/)
    expect(found.join('\n')).toMatch(new RegExp(`feed of ${feed} \\(test\\): .*${words}`))
  })

  it('reports a policy whose version or rules are not its own', async () => {
    const { version } = scriptPolicy(3)
    await edit(`update policy set body = replace(body::text, '${version}', 'other-1')`)
    expect((await inDatabase()).findings[0]).toEqual({
      ...{ where: `policy ${version}`, what: 'its body belongs to other-1' },
    })
    expect((await inDump()).findings[0]).toEqual((await inDatabase()).findings[0])
    await edit(`update policy set body = replace(body::text, 'other-1', '${version}')`)
    const source = await DatabaseSource.open(database.url)
    const report = await audit({ source, scope: {}, builtIn: [], kinds, isMisnamed: () => true })
    await source.close()
    expect(report.findings[0]?.what).toMatch(/its rules differ from those of this version/)
  })

  it('reports a changed counter of a feed', async () => {
    await edit(`update merchant_feed set position = 5 where merchant_id = 'mer_other'`)
    expect(await firstFound()).toBe(
      'feed of mer_other (test): it has 6 events, but its counter is at 5',
    )
  })

  it('reports events of different subjects that have changed places in their feed', async () => {
    const feed = `merchant_id = 'mer_test' and not livemode`
    await edit(`alter table event drop constraint event_merchant_id_livemode_position_key;
      update event set position = 13 - position where ${feed} and position in (6, 7)`)
    expect(await firstFound()).toBe(
      'feed of mer_test (test): its seal does not match the order of its events: some have changed places',
    )
  })

  it('reports a changed seal of a feed', async () => {
    await edit(`update merchant_feed set seal = sha256('') where merchant_id = 'mer_other'`)
    expect(await firstFound()).toContain('feed of mer_other (test): its seal does not match')
  })

  it('reports an unknown kind of subject', async () => {
    await edit(`update event set kind = 'gift' where subject_id = '${paid.id}'`)
    expect(await firstFound()).toContain('unknown kind gift')
  })

  it('reports a broken seal also where the evidence cannot be folded', async () => {
    await edit(`update event set evidence = '{"facts":[],"policy":"gone"}' where ${ofPaid(2)}`)
    const { findings } = await inDatabase()
    expect(findings.map(({ what }) => what).join()).toContain(broken)
  })
})

it('an audit lists at most 20 findings and counts all of them', async () => {
  await edit(`update event set data = (data::text || ' ')::json`)
  const report = await inDatabase()
  expect(report.found).toBeGreaterThan(15)
  expect(report.findings.length).toBeLessThanOrEqual(20)
})

it('an audit reads the history as of its start while a server goes on writing', async () => {
  const source = await DatabaseSource.open(database.url)
  await source.policies()
  const payment = new ScriptedPayment()
  await store.append({ appends: [payment.opening()] })
  const report = await audit({ source, scope: {}, builtIn: [] })
  await source.close()
  expect(report).toMatchObject({ subjects: 4, events: 19, found: 0 })
})

it('DumpSource leaves no copy of the history behind, even if the process is killed', async () => {
  const dump = await dumpOf(database.url)
  const temporary = await mkdtemp(join(tmpdir(), 'settlewire-copies-'))
  const source = await DumpSource.open(dump.path, temporary)
  expect(await readdir(temporary)).toEqual([])
  const report = await audit({ source, scope: {}, builtIn: [], kinds })
  expect(report).toMatchObject({ found: 0 })
  expect(report.events).toBeGreaterThan(0)
  await source.close()
  await rm(temporary, { recursive: true })
  await dump.remove()
})

it('DumpSource refuses a missing file and a file that is not a dump', async () => {
  await expect(DumpSource.open('/nowhere/dump.sql')).rejects.toMatchObject({
    code: 'invalid_request',
  })
  await expect(DumpSource.open(import.meta.filename)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('plain-text dump'),
  })
})
