import type { PolicyAnswer } from '@settlewire/client/answers'
import type { Visibility } from '@settlewire/client/wire-event'
import { statuses } from '@settlewire/core/payment/status-model'
import { describe, expect, it } from 'vitest'
import { chainNames, fixtures, payment } from '../../../test/support/checkout-fixtures.ts'
import { shownFrom } from './payment.ts'
import { screenOf, spokenOf, stepNames } from './screen.ts'
import { nextStepsOf } from './words.ts'

const now = Date.now()
const view = { now, isConnected: true, sights: [], explained: null, explainedMsAgo: 0 }
const explained = (aboutMs: number | null) => ({
  explained: { answer: { aboutMs } as PolicyAnswer }, // no other field is read here
})
const seen = (chain: string, visibility: Visibility, blockAt: number | null = now) => ({
  ...{ chain, visibility, blockAt },
})
const screen = (resource: Parameters<typeof shownFrom>[0], more = {}) =>
  screenOf(shownFrom(resource, chainNames), { ...view, ...more })
const statesOf = (name: keyof typeof fixtures) => screen(fixtures[name]).steps.map((s) => s.state)

describe('the screen', () => {
  it('shows an address only while a payment is awaited', () => {
    const wanted = statuses.filter((status) => screen(fixtures[status]).panel === 'pay')
    expect(wanted).toEqual(['awaiting', 'pending_expired'])
    expect(screen(fixtures['awaiting-part']).panel).toBe('pay')
  })

  it('hides the address when the time is up, before the payment has expired', () => {
    const over = screen(fixtures['awaiting-over'])
    expect(over).toMatchObject({ panel: 'notice', isTimeUp: true, countsDown: false })
    expect(over.text).toContain('do not send now')
  })

  it('never sends a payer to a new payment while the transaction sent may still arrive', () => {
    const over = { expiresAt: new Date(now - 1_000).toISOString() }
    const lost = ['transaction_dropped', 'transaction_reorged', 'transaction_denied'] as const
    for (const resource of [
      { ...fixtures.pending_expired, ...over },
      ...lost.map((reason) => ({ ...fixtures.awaiting, ...over, reason })),
    ]) {
      const { text, isTimeUp } = screen(resource)
      expect(isTimeUp).toBe(true)
      expect(text).toContain('may still arrive. Speed it up or cancel it')
      expect(text).toContain('do not send now')
      expect(nextStepsOf(resource)).toEqual([expect.stringMatching(/^Is it cancelled/)])
    }
  })

  it('says what arrived, not “not sent yet”, when a part was paid and the time is up', () => {
    const over = { ...fixtures['awaiting-part'], expiresAt: new Date(now - 1_000).toISOString() }
    const expired = fixtures['expired-part']
    const unwatched = { ...expired, monitorUntil: new Date(now - 1_000).toISOString() }
    for (const resource of [over, expired, unwatched]) {
      const { text } = screen(resource)
      expect(text).toContain('50.00 of 150.00 arrived; 100.00 missing.')
      expect(nextStepsOf(resource).join(' ')).not.toContain('Not sent yet')
    }
    expect(screen(unwatched).text).toContain('Do not pay it any more.')
  })

  it('counts down only while money is awaited', () => {
    const counting = statuses.filter((status) => screen(fixtures[status]).countsDown)
    expect(counting).toEqual(['awaiting', 'pending_expired'])
  })

  it('has one current step: all steps before it are done, and none after it', () => {
    for (const status of statuses) {
      const states = screen(fixtures[status]).steps.map((step) => step.state)
      expect(states).toHaveLength(stepNames.length)
      expect(states.join(' '), status).toMatch(/^(done ?)*(current|halted)?( todo)*$/)
    }
    expect(statesOf('awaiting')).toEqual(['current', 'todo', 'todo', 'todo', 'todo'])
    expect(statesOf('pending_detected')).toEqual(['done', 'current', 'todo', 'todo', 'todo'])
    expect(statesOf('confirming')).toEqual(['done', 'done', 'current', 'todo', 'todo'])
    expect(statesOf('succeeded')).toEqual(['done', 'done', 'done', 'done', 'todo'])
    expect(statesOf('succeeded-final')).toEqual(['done', 'done', 'done', 'done', 'done'])
  })

  it('does not mark steps as done that the payment did not reach', () => {
    expect(statesOf('expired')).toEqual(['halted', 'todo', 'todo', 'todo', 'todo'])
    expect(statesOf('cancelled')).toEqual(['halted', 'todo', 'todo', 'todo', 'todo'])
    expect(statesOf('investigation_required')).toEqual(['done', 'halted', 'todo', 'todo', 'todo'])
    const received = { ...fixtures.investigation_required, amountReceived: '150.00' }
    expect(screen(received).steps.map((step) => step.state)[2]).toBe('halted')
  })

  it('asks for the missing amount if a part was paid', () => {
    expect(screen(fixtures['awaiting-part'])).toMatchObject({ toSend: '100.00', isPart: true })
    expect(screen(fixtures.awaiting)).toMatchObject({ toSend: '150.00', isPart: false })
  })

  it('does not promise immediate updates while blind or disconnected', () => {
    const promise = 'as soon as you send it'
    expect(screen(fixtures.awaiting).text).toContain(promise)
    expect(screen(fixtures.awaiting, { isConnected: false }).text).not.toContain(promise)
    const blind = screen(fixtures.awaiting, { sights: [seen('local', 'blind')] })
    expect(blind.text).not.toContain(promise)
    expect(blind.sightNotes[0]?.text).toContain('cannot see Local test chain')
  })

  it('has a note per chain that is not fully seen: blind first, with the age of the view', () => {
    const sights = [
      ...[seen('polygon', 'degraded'), seen('arbitrum', 'ok')],
      ...[seen('base', 'blind', now - 40_000), seen('local', 'blind', null)],
    ]
    const { sightNotes, isBlind } = screen(fixtures['awaiting-choice'], { sights })
    expect(isBlind).toBe(true)
    expect(sightNotes).toEqual([
      {
        isBlind: true,
        text: 'We cannot see Base right now; your payment is safe, it will be found.',
        age: 'Last block read 40 s ago.',
      },
      expect.objectContaining({ isBlind: true, age: null }),
      { isBlind: false, text: 'We see Polygon later than usual.', age: null },
    ])
    const later = screen(fixtures['awaiting-choice'], { sights, now: now + 600_000 })
    expect(later.sightNotes[0]?.age).toBe('Last block read 11 min ago.')
  })

  it('shows the remaining time only if the server sends one', () => {
    const of = (more: object) => screen(fixtures['confirming-12'], more).title
    expect(of(explained(39_500))).toBe('Confirmed 5 of 12, about 40 s.')
    const later = { ...explained(39_500), explainedMsAgo: 30_000 }
    expect(of(later)).toBe('Confirmed 5 of 12, about 10 s.')
    expect(of(explained(null))).toBe('Confirmed 5 of 12.')
    expect(of({})).toBe('Confirmed 5 of 12.')
  })

  it('shows no remaining time when it is late, blind or disconnected', () => {
    const said = (more: object) => {
      const { title, isExplained } = screen(fixtures['confirming-12'], {
        ...explained(39_500),
        ...more,
      })
      return [title.includes('about'), isExplained]
    }
    expect(said({ explainedMsAgo: 39_000 })).toEqual([true, true])
    expect(said({ explainedMsAgo: 40_000 })).toEqual([false, false])
    expect(said({ isConnected: false })).toEqual([false, false])
    for (const visibility of ['blind', 'degraded'] as const) {
      expect(said({ sights: [seen('local', visibility)] })).toEqual([false, false])
    }
  })

  it('shows no remaining time while providers disagree', () => {
    const { title } = screen(fixtures['confirming-disagree'], explained(39_500))
    expect(title).toBe('Confirmed 3 of 3.')
  })

  it('shows one note for a double payment, and none for transfers that are listed', () => {
    const { notes } = screen(fixtures['succeeded-double'])
    expect(notes.filter((note) => /more than once|More than/.test(note))).toHaveLength(1)
    expect(screen(fixtures['awaiting-wrong']).notes).toEqual([])
  })

  it('says nothing twice: a reason leaves out the note of its flag', () => {
    const base = fixtures.investigation_required
    for (const [status, reason, flag] of [
      ['investigation_required', 'reorged_after_success', 'reorg_seen'],
      ['failed', 'written_off', 'reorg_seen'],
      ['investigation_required', 'paid_after_watch', 'late'],
      ['investigation_required', 'sources_disagree', 'sources_disagree'],
      ['awaiting', 'replaced_elsewhere', 'replaced_seen'],
    ] as const) {
      expect(screen({ ...base, status, reason, flags: [flag] }).notes, reason).toEqual([])
    }
    expect(screen({ ...fixtures.confirming, flags: ['reorg_seen'] }).notes).toHaveLength(1)
  })

  it('separates thousands in the amounts that its sentences show', () => {
    const large = { ...fixtures.succeeded, amount: '1250000.00', amountReceived: '1250000.00' }
    expect(screen(large).text).toContain('1\u202f250\u202f000.00 USDC arrived.')
  })

  it('does not ask for further blocks when there are enough', () => {
    const { confirming } = fixtures
    const transfers = confirming.transfers.map((one) => ({ ...one, confirmations: 3 }))
    const { title, text } = screen({ ...confirming, transfers })
    expect(title).toContain('3 of 3')
    expect(text).toBe('Do not pay again. It is in a block; it counts once it is certain.')
  })

  it('says of a payment that was seen that it is safe, not that it will be found', () => {
    const sights = [seen('local', 'blind')]
    for (const status of ['pending_detected', 'confirming'] as const) {
      expect(screen(fixtures[status], { sights }).sightNotes[0]?.text).not.toContain('be found')
    }
    expect(screen(fixtures.awaiting, { sights }).sightNotes[0]?.text).toContain('be found')
  })

  it('offers the claim form only if a transaction may be unseen', () => {
    const claimable = statuses.filter((status) => screen(fixtures[status]).canClaim)
    expect(claimable).toEqual(['awaiting', 'pending_expired', 'expired'])
    expect(screen(fixtures['awaiting-over']).canClaim).toBe(true)
  })

  it('shows no chain notes once the payment no longer depends on the chains', () => {
    const sights = [seen('local', 'blind')]
    expect(screen(fixtures['succeeded-final'], { sights }).sightNotes).toEqual([])
    expect(screen(fixtures.cancelled, { sights }).sightNotes).toEqual([])
    const [note] = screen(fixtures.succeeded, { sights }).sightNotes
    expect(note?.text).toContain('the final state shows here later')
    const doubts = { sights: [seen('local', 'degraded')] }
    expect(screen(fixtures.succeeded, doubts).sightNotes).toEqual([])
  })

  it('does not say that it is watched after the end of the watch', () => {
    const day = 25 * 3_600_000
    expect(screen(fixtures.expired).text).toContain('still counts as paid')
    expect(screen(fixtures.expired, { now: now + day }).text).not.toContain('counts')
  })
})

describe('the key of the text that is read aloud', () => {
  const keyOf = (resource: Parameters<typeof shownFrom>[0], more = {}) => {
    const shown = shownFrom(resource)
    return spokenOf(shown, screenOf(shown, { ...view, ...more })).key
  }
  const confirming = (confirmations: number, requiredConfirmations: number) => {
    const transfers = fixtures.confirming.transfers.map((one) => ({
      ...one,
      confirmations,
      requiredConfirmations,
    }))
    return payment({ ...fixtures.confirming, transfers })
  }

  it('does not change because time passes', () => {
    expect(keyOf(fixtures.awaiting, { now: now + 60_000 })).toBe(keyOf(fixtures.awaiting))
    const sights = [seen('local', 'blind')]
    const blind = keyOf(fixtures.awaiting, { sights })
    expect(keyOf(fixtures.awaiting, { sights, now: now + 60_000 })).toBe(blind)
    expect(blind).not.toBe(keyOf(fixtures.awaiting))
  })

  it('changes with every status', () => {
    expect(new Set(statuses.map((status) => keyOf(fixtures[status]))).size).toBe(statuses.length)
  })

  it('changes four times while many blocks are confirmed', () => {
    const keys = Array.from({ length: 65 }, (_, i) => keyOf(confirming(i, 64)))
    expect(new Set(keys).size).toBe(5)
  })
})
