import { describe, expect, it } from 'vitest'
import { resolvable } from '../payment/resolve.ts'
import { flags, statuses } from '../payment/status-model.ts'
import { flagWords } from './flag-words.ts'
import { flagNotices, ignoredNotices, reasonNotices, stageNotices } from './notices.ts'
import { reasons, reasonWords } from './reason-words.ts'
import { ignoredWords } from './stage-words.ts'
import { chainName, type StatusValues, statusWords } from './words.ts'

const told: StatusValues = {
  status: 'awaiting',
  reason: null,
  flags: [],
  currency: 'USDC',
  amount: '150.00',
  received: '0.00',
  seen: '0.00',
  missing: '150.00',
  confirmations: 0,
  requiredConfirmations: 3,
  aboutSeconds: null,
  watchedUntil: '22 Nov, 12:00',
  isLive: true,
  isTimeUp: false,
}

const say = (status: StatusValues['status'], more: Partial<StatusValues> = {}) => {
  const words = statusWords[status]
  const all = { ...told, ...more, status }
  return `${words.title(all)} ${words.text(all)}`
}

describe('the words for a payer', () => {
  it('are whole sentences in every status, with every reason', () => {
    for (const status of statuses) {
      for (const reason of [null, ...reasons, 'a_code_of_tomorrow']) {
        for (const watchedUntil of [null, '22 Nov']) {
          const sentence = say(status, { reason, watchedUntil, flags: ['underpaid'] })
          expect(sentence).toMatch(/^[A-Z0-9].*[.]$/)
          expect(sentence).not.toMatch(/undefined|null|NaN|a_code|\s{2}/)
        }
      }
    }
  })

  it('advise to speed up or cancel a stuck transaction before paying again', () => {
    const hangs = say('pending_expired')
    expect(hangs).toContain('Speed it up or cancel it in your wallet first')
    expect(hangs).not.toMatch(/then pay again|higher fee/)
  })

  it('advise not to pay again once money was seen', () => {
    expect(say('pending_detected')).toContain('Do not pay again')
    expect(say('confirming')).toContain('Do not pay again')
    expect(say('investigation_required')).toContain('No need to pay again')
  })

  it('name the missing amount when only a part has arrived', () => {
    const part: Partial<StatusValues> = {
      flags: ['underpaid'],
      received: '50.00',
      missing: '100.00',
    }
    expect(say('awaiting', { ...part, seen: '50.00' })).toContain(
      '50.00 of 150.00 arrived; 100.00 missing.',
    )
    expect(say('expired', { ...part, seen: '50.00' })).toContain('100.00 missing.')
  })

  it('say “seen”, not “arrived”, for a part that is in no block', () => {
    const part: Partial<StatusValues> = { flags: ['underpaid'], received: '0.00', seen: '50.00' }
    expect(say('awaiting', { ...part, missing: '100.00' })).toContain('50.00 of 150.00 seen;')
  })

  it('say that a reverted transaction moved no money', () => {
    expect(say('awaiting', { reason: 'transaction_reverted' })).toContain(
      'Your earlier transaction did not go through: it moved no money.',
    )
  })

  it('say that a reorged or dropped transaction may still arrive', () => {
    for (const reason of ['transaction_reorged', 'transaction_dropped']) {
      expect(say('awaiting', { reason })).toContain(
        'It may still arrive. Speed it up or cancel it in your wallet first; pay again only when',
      )
    }
  })

  it('give the confirmations and about how long the rest takes', () => {
    expect(say('confirming', { confirmations: 1, aboutSeconds: 4 })).toContain(
      'Confirmed 1 of 3, about 4 s.',
    )
    expect(say('confirming', { requiredConfirmations: null })).toContain('becoming final')
  })

  it('name the end of the watch of an expired payment only while it lies ahead', () => {
    expect(say('expired')).toContain('until 22 Nov, 12:00 the full amount still counts as paid.')
    const over = say('expired', { watchedUntil: null })
    expect(over).not.toContain('counts')
    expect(over).toContain('Do not pay it any more.')
  })

  it('do not promise an immediate update while the page is not live', () => {
    expect(say('awaiting')).toContain('appears here as soon as you send it')
    expect(say('awaiting', { isLive: false })).toContain('later than usual')
  })

  it('advise not to send any more once the time is up', () => {
    for (const status of ['awaiting', 'pending_expired'] as const) {
      expect(say(status, { isTimeUp: true, reason: 'x' })).toContain('do not send now')
    }
  })

  it('name the fate of a replaced, dropped or denied transaction', () => {
    expect(say('awaiting', { reason: 'replaced_elsewhere' })).toContain('replaced the transaction')
    for (const reason of ['transaction_dropped', 'transaction_denied']) {
      const gone = say('awaiting', { reason })
      expect(gone).toContain('It may still arrive.')
      expect(gone).not.toContain('moved no money')
    }
  })

  it('are whole sentences for every flag that has words', () => {
    for (const flag of flags) expect(flagWords[flag] ?? 'Nothing.').toMatch(/^[A-Z].*[.]$/)
  })
})

describe('the tables of words', () => {
  const sentence = /^[A-Z].*[.]$/

  it('have a whole sentence for every stage and every ignored reason', () => {
    for (const { payer, operator } of Object.values(stageNotices)) {
      expect(payer).toMatch(sentence)
      expect(operator).toMatch(sentence)
    }
    for (const operator of Object.values(ignoredNotices)) expect(operator).toMatch(sentence)
    for (const { why, todo } of Object.values(ignoredWords)) {
      expect(why).toMatch(sentence)
      if (todo !== null) expect(todo).toMatch(sentence)
    }
  })

  it('have a whole sentence for the payer for every reason', () => {
    for (const reason of reasons) expect(reasonWords[reason]).toMatch(sentence)
  })

  it('have an operator sentence and choices for every flag and reason', () => {
    for (const { operator, needsPerson, choices } of [
      ...Object.values(flagNotices),
      ...Object.values(reasonNotices),
    ]) {
      expect(operator).toMatch(sentence)
      expect(new Set(choices).size).toBe(choices.length)
      // A notice that needs a person but offers no decision concerns the providers.
      if (needsPerson && choices.length === 0) expect(operator).toContain('Providers')
    }
  })

  it('offer only decisions that the status of a reason allows', () => {
    const under = {
      ...{ paid_after_cancel: 1, paid_after_watch: 1, paid_after_failure: 1 },
      ...{ reorged_after_success: 1, denied_after_success: 1, sources_disagree: 1 },
    }
    for (const reason of reasons) {
      const { choices, needsPerson } = reasonNotices[reason]
      expect(needsPerson).toBe(reason in under)
      for (const choice of choices) expect(resolvable.investigation_required[choice]).not.toBeNull()
    }
  })
})

it('an unknown chain keeps its configured name', () => {
  expect(chainName('polygon')).toBe('Polygon')
  expect(chainName('somechain')).toBe('somechain')
})
