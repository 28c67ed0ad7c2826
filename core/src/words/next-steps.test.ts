import { describe, expect, it } from 'vitest'
import { statuses } from '../payment/status-model.ts'
import { flagNotesOf } from './flag-words.ts'
import { nextSteps } from './next-steps.ts'

const again = 'Start again.'

describe('the next steps of a payer', () => {
  it("ask for a new payment in the page's own sentence, and only if nothing may still arrive", () => {
    const asking = statuses.filter((status) =>
      nextSteps({ status, reason: null, flags: [] }, again).join().includes(again),
    )
    expect(asking).toEqual(['awaiting', 'pending_expired', 'expired', 'failed'])
    const reorged = { status: 'awaiting', reason: 'transaction_reorged', flags: [] } as const
    expect(nextSteps(reorged, again)).toEqual([`Is it cancelled? ${again}`])
  })

  it('lead to the merchant, not to a second payment, once a part has arrived', () => {
    const part = { status: 'expired', reason: null, flags: ['underpaid'] } as const
    expect(nextSteps(part, again).join()).toMatch(/^When you contact the merchant/)
  })
})

describe('the notes of flags', () => {
  it('leave out what the reason in the text, another flag or the list of transfers covers', () => {
    const reason = 'reorged_after_success'
    const text = 'The network rewrote the blocks that held your payment.'
    expect(flagNotesOf({ flags: ['reorg_seen'], reason }, text, [])).toEqual([])
    expect(flagNotesOf({ flags: ['reorg_seen'], reason }, '', [])).toHaveLength(1)
    const twice = { flags: ['overpaid', 'duplicate_payment'], reason: null } as const
    expect(flagNotesOf(twice, '', [])).toHaveLength(1)
    const dust = { flags: ['dust'], reason: null } as const
    expect(flagNotesOf(dust, '', [{ ignored: 'dust' }])).toEqual([])
    expect(flagNotesOf(dust, '', [])).toHaveLength(1)
  })
})
