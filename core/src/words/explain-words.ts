import type { ExplainedTransfer } from '../payment/explanation.ts'
import type { IgnoreReason, Stage } from '../payment/payment.ts'
import type { Level, Tier } from '../payment/policy.ts'
import { chainName } from './words.ts'

/** Completes the sentence “a transfer counts …”. */
export function levelInWords(level: Level): string {
  if (level === 1) return 'with the block that holds it'
  if (typeof level === 'number') return `with ${level} blocks, the one that holds it included`
  return `once the nodes of the network call its block ${level}`
}

/** The reason why a tier applies. */
export const tierInWords = ({ upTo }: Pick<Tier, 'upTo'>, asset: string): string =>
  upTo === null ? 'because of its amount' : `because it is not more than ${upTo} ${asset}`

type NameOf = (chain: string) => string

/** The network, by the name that people use. */
export const inNetwork = (chain: string, nameOf: NameOf = chainName): string =>
  `on ${nameOf(chain)}`

/**
 * The rest of a sentence about a transfer, by stage; null where figures or `ignoredSentences` take
 * its place.
 */
const stageSentences: Readonly<Record<Stage, string | null>> = {
  claimed: 'was named by the payer, and no node has shown it yet.',
  mempool: 'is pending: no block holds it, and nothing is certain.',
  preconfirmed: 'is promised by the sequencer, and in no block yet.',
  included: null,
  safe: null,
  final: null,
  dropped: 'was pending for too long, and no provider knows it any more.',
  replaced: 'was replaced by another transaction of its sender: only one of them can be mined.',
  reverted: 'failed in its block and moved nothing.',
  reorged: 'was in a block that the network took back.',
  denied: 'was reported in a block, but no provider shows it there any more.',
  ignored: null,
}

/** Why money does not count, for the person who decides about it. */
const ignoredSentences: Readonly<Record<IgnoreReason, string>> = {
  wrong_token: 'moved a token that this request does not accept.',
  wrong_chain: 'came on a network that this request does not accept.',
  dust: 'is too small to count.',
  zero: 'moved nothing.',
  paid_elsewhere: 'is in a block, but paid another address.',
  set_aside: 'was set aside by a person.',
}

/** The figures of a sentence, and whether it names providers. */
type SentenceFacts = Omit<ExplainedTransfer, 'sentence'>
interface SentenceOptions {
  readonly namesProviders: boolean
  readonly nameOf: NameOf | undefined
}

/** A sentence about a transfer: why it counts, or what it waits for, what comes next, and when. */
export function sentenceOf(transfer: SentenceFacts, options: SentenceOptions): string {
  const { txHash, chain, amount, asset, ignored, stage } = transfer
  const named = txHash === null ? '' : ` (${short(txHash)})`
  const isVain = stage === 'dropped' && asset === null
  const what = stage === 'claimed' || isVain ? 'A transaction' : `${amount} ${asset ?? ''}`.trim()
  const subject =
    ignored === null ? `${what} ${inNetwork(chain, options.nameOf)}${named}` : `A transfer${named}`
  if (ignored !== null) return `${subject} ${ignoredSentences[ignored]}`
  if (isVain) return `${subject} was not found: no provider knows it.`
  if (stage === 'denied')
    return `${subject} was reported in a block. ${reportsInWords(transfer, options)} It does not count until a provider shows it again.`
  return `${subject} ${stageSentences[stage] ?? depthInWords(transfer, options)}`
}

function depthInWords(transfer: SentenceFacts, options: SentenceOptions): string {
  const { level, tier, asset, confirmations, settled, missing } = transfer
  if (level === null) return 'is in a block of a network without a finality rule.'
  const because = tier === null ? '' : `, ${tierInWords(tier, asset ?? 'it')}`
  const rule = `it counts ${levelInWords(level)}${because}`
  if (settled) return `is settled: ${rule}.`
  const has =
    typeof level === 'number' ? `has ${confirmations} of ${level} blocks` : 'is in a block'
  const waits = `${waitsFor(transfer, options)}${missingSources(missing.sources)}`
  return `${has}: ${rule}. ${waits}${afterThat(missing.until)}`
}

/**
 * What happens if the transfer does not settle by the end of the watch; empty if that is not set.
 */
const afterThat = (until: string | null): string =>
  until === null
    ? ''
    : ` If that does not happen by ${until}, the payment becomes investigation_required and a person decides.`

/** Which providers show it, and which deny it. */
function reportsInWords(
  { sources, deniedBy }: SentenceFacts,
  { namesProviders }: SentenceOptions,
): string {
  const whole = (names: readonly string[], verb: readonly [one: string, more: string]): string => {
    const [one, more] = verb
    if (namesProviders) return `${inList(names)} ${names.length === 1 ? one : more}`
    return names.length === 1 ? `one provider ${one}` : `${names.length} providers ${more}`
  }
  const denies = `${whole(deniedBy, ['denies', 'deny'])} that its block holds it.`
  const text =
    sources.length === 0
      ? denies
      : `${whole(sources, ['shows', 'show'])} it in its block, and ${denies}`
  return namesProviders ? text : text[0]?.toUpperCase() + text.slice(1)
}

/** The names of providers, without the kind of source. */
function inList(sources: readonly string[]): string {
  const names = sources.map((source) => source.slice(source.indexOf(':') + 1))
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

function waitsFor(transfer: SentenceFacts, options: SentenceOptions): string {
  const { missing, deniedBy, aboutMs } = transfer
  const { blocks, tag, held } = missing
  if (held === 'sources_disagree' && deniedBy.length > 0)
    return `${reportsInWords(transfer, options)} More must show it than deny it.`
  if (held === 'sources_disagree')
    return 'Nothing is settled while providers contradict each other.'
  if (held === 'finality_stalled')
    return `The network is slow to mark blocks as ${tag}; the transfer waits until it does so again.`
  const about = aboutMs === null ? '' : `, about ${Math.ceil(aboutMs / 1000)} s`
  if (tag !== null) return `It waits for ${tag}${about}.`
  return blocks === null || blocks === 0
    ? 'It is deep enough.'
    : `It waits for ${blocks} more${about}.`
}

const missingSources = (count: number): string =>
  count === 0
    ? ''
    : ` It waits for ${count} more ${count === 1 ? 'provider' : 'providers'} to show it.`

const short = (txHash: string): string =>
  txHash.length > 14 ? `${txHash.slice(0, 8)}…${txHash.slice(-4)}` : txHash
