import { type ResolutionAction, resolutionActions } from '@settlewire/core/payment/observation'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { flagNotices, type Notice, reasonNotices } from '@settlewire/core/words/notices'

type Undecided = Pick<PaymentIntent, 'id' | 'status' | 'reason' | 'flags'>

/** Why a payment waits for a person, and the commands that record a decision. */
export interface DecisionText {
  readonly why: readonly string[]
  readonly choices: readonly string[]
}

const outcomes: Readonly<Record<ResolutionAction, string>> = {
  accept: 'the money that arrived is enough',
  wait: 'the rest may still arrive',
  refund_noted: 'you refunded the money',
  dismiss: 'the money is not for this payment',
}

const longest = Math.max(...resolutionActions.map((action) => action.length))

/** The decision that a payment needs; empty unless it is `investigation_required`. */
export function decisionOf({ id, status, reason, flags }: Undecided): DecisionText {
  if (status !== 'investigation_required') return { why: [], choices: [] }
  const notices = [
    ...noticeOf(reasonNotices, reason ?? ''),
    ...flags.flatMap((flag) => noticeOf(flagNotices, flag)).filter((one) => one.needsPerson),
  ]
  const known = new Set(notices.flatMap(({ choices }) => choices))
  return {
    why: [...new Set(notices.map(({ operator }) => operator))],
    choices: resolutionActions
      .filter((action) => known.size === 0 || known.has(action))
      .map((action) => {
        const words = `${action.padEnd(longest)} --reason "…"`
        return `npx settlewire resolve ${id} ${words}  (${outcomes[action]})`
      }),
  }
}

/** The decision in lines; none unless the payment needs one. */
export function showDecision(payment: Undecided): readonly string[] {
  const { why, choices } = decisionOf(payment)
  if (choices.length === 0) return []
  const because = why.length === 0 ? [] : [why.join(' ')]
  return [...because, 'A person can decide:', ...choices.map((line) => `  ${line}`)]
}

/** The notice of a name; none for one that is newer than this program. */
const noticeOf = (notices: Readonly<Record<string, Notice>>, name: string): readonly Notice[] => {
  const notice = Object.hasOwn(notices, name) ? notices[name] : undefined
  return notice === undefined ? [] : [notice]
}
