import type { PendingRules } from '../block/calldata.ts'
import { contestKey } from '../block/contest-key.ts'

/**
 * Whether a message about a pending transaction is irrelevant to us, by its raw text, which costs
 * less than half of parsing it. True is always correct. False means that the message must be
 * parsed: it may concern us, or the text has an escape, a space, a duplicate key or no recipient.
 */
export function isIrrelevant(text: string, { tokens, watch }: PendingRules): boolean {
  // A JSON string can contain a quote only after a backslash. Without backslashes, `"to":` in the
  // text is therefore always a real key.
  if (escapeOrSpace.test(text)) return false
  let to = 0
  let from = 0
  let nonce = 0
  // All three keys contain an o, which is not a hex digit: searching for it skips calldata fast,
  // while searching for a word stops at every quote.
  for (let at = text.indexOf('o'); at >= 0; at = text.indexOf('o', at + 1)) {
    const before = text.charCodeAt(at - 1)
    if (before === letter.t && text.startsWith('"to":"0x', at - 2)) {
      if (to !== 0) return false
      to = at + 4
    } else if (before === letter.r && text.startsWith('"from":"0x', at - 3)) {
      if (from !== 0) return false
      from = at + 5
    } else if (before === letter.n && text.startsWith('"nonce":"0x', at - 2)) {
      if (nonce !== 0) return false
      nonce = at + 7
    }
  }
  if (to === 0 || from === 0 || nonce === 0) return false
  const recipient = valueAt(text, to).toLowerCase()
  if (tokens.has(recipient) || (watch.wantsNative && watch.has(recipient))) return false
  // A transaction with the same sender and nonce as one of ours is its rival, and concerns us.
  return !watch.hasRival(
    contestKey(valueAt(text, from).toLowerCase(), Number(valueAt(text, nonce))),
  )
}

const escapeOrSpace = /[\\\s]/
const letter = { t: 't'.charCodeAt(0), r: 'r'.charCodeAt(0), n: 'n'.charCodeAt(0) } as const

const valueAt = (text: string, at: number): string => text.slice(at, text.indexOf('"', at))
