import type { CursorMove, IdempotentResult } from '../../server/src/ports/history.ts'
import { blockAt, bornAt } from './payments.ts'
import type { ScriptedPayment } from './scripted-payments.ts'

export const merchantId = 'mer_test'

/** A step of one block on the chain `local`, after a view. */
export const moveTo = (head: number, fromView: number): CursorMove => ({
  chain: 'local',
  fromView,
  head: { view: fromView + 1, head, safe: null, finalized: null },
  reverted: [],
  applied: [blockAt(head)],
})

/** The stored answer to a client that opened a payment under the key `key-1`. */
export const answer = ({ id }: ScriptedPayment): IdempotentResult => ({
  merchantId,
  livemode: false,
  key: 'key-1',
  requestHash: 'ab'.repeat(32),
  status: 201,
  paymentId: id,
  sequence: 1,
  body: null,
  at: bornAt,
})
