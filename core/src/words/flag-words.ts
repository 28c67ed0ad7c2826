import type { Flag } from '../payment/status-model.ts'
import type { WireTransfer } from '../wire/wire.ts'
import { reasonInWords } from './reason-words.ts'
import type { StatusValues } from './words.ts'

/** What a payer reads beside the status, by flag; null: nothing that helps a payer. */
export const flagWords: Readonly<Record<Flag, string | null>> = {
  underpaid: null, // the status says it, with the figures
  overpaid: 'More than the requested amount arrived. Ask the merchant about the difference.',
  late: 'It arrived after the request had ended. The merchant may contact you about it.',
  multiple_transfers: 'It arrived in more than one transfer.',
  duplicate_payment: 'This was paid more than once. Ask the merchant for the extra payment.',
  wrong_token: 'A token that this request does not accept arrived. It was not counted.',
  wrong_chain: 'Money arrived on a network that this request does not accept. It was not counted.',
  dust: 'A transfer too small to count arrived.',
  fee_on_transfer: 'The token kept a fee for itself: less arrived than was sent.',
  reorg_seen: 'The network rewrote its last blocks; we count only what is there now.',
  replaced_seen: 'Your wallet replaced the transaction by another one.',
  single_source: null,
  sources_disagree: 'Our views of the network disagree; we wait until they agree.',
  manually_marked: 'The merchant decided something about this payment by hand.',
}

/** Flags whose notes say the same as a reason. */
const reasonFlags: readonly Flag[] = ['reorg_seen', 'replaced_seen', 'late', 'sources_disagree']

/**
 * The notes of a payment's flags, without those that the shown text (if it contains the reason),
 * another flag or the list of uncounted money covers.
 */
export function flagNotesOf(
  { flags, reason }: Pick<StatusValues, 'flags' | 'reason'>,
  text: string,
  uncounted: readonly Pick<WireTransfer, 'ignored'>[],
): readonly string[] {
  const hasReason = text.includes(String(reasonInWords(reason)))
  const isCovered = (flag: Flag): boolean =>
    uncounted.some(({ ignored }) => ignored === flag) ||
    (hasReason && reasonFlags.includes(flag)) ||
    (flag === 'overpaid' && flags.includes('duplicate_payment'))
  return flags.flatMap((flag) => (isCovered(flag) ? [] : (flagWords[flag] ?? [])))
}
