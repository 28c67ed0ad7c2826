import type { WireTransfer } from '@settlewire/core/wire/wire'
import { stageLabels } from '@settlewire/core/words/stage-words'
import type { ReactNode } from 'react'
import { CopyButton } from './copyable.tsx'
import { OutIcon } from './icons.tsx'
import { shortened } from './money.ts'
import { nameOf, type Shown } from './payment.ts'
import { Sentence } from './sentence.tsx'
import { words } from './words.ts'

type Listed = Pick<WireTransfer, 'chain' | 'explorerUrl' | 'stage' | 'amount'> & {
  readonly txHash: string
}

/** The transactions that pay it: how much, on which chain, and where to see them with one's own eyes. */
export function Transactions({
  shown,
  say,
}: {
  shown: Shown
  say: (text: string) => void
}): ReactNode {
  const { payment } = shown
  const listed = listedOf(shown)
  if (listed.length === 0) return null
  return (
    <ul className="transactions">
      {listed.map(({ txHash, chain, stage, amount, explorerUrl }) => (
        <li key={txHash}>
          <p className="fact-name">
            <Sentence
              text={words.transactionOn(
                /[1-9]/.test(amount) ? `${amount} ${payment.currency}` : words.aTransaction,
                nameOf(shown, chain),
              )}
            />
            <span className="stage">{stageLabels[stage]}</span>
          </p>
          <TransactionLine txHash={txHash} explorerUrl={explorerUrl} say={say} />
        </li>
      ))}
    </ul>
  )
}

function listedOf({ payment, progress }: Shown): readonly Listed[] {
  const listed: Listed[] = payment.transfers.filter(
    (one): one is WireTransfer & Listed => one.stage !== 'ignored' && one.txHash !== null,
  )
  const { txHash, chain } = progress
  if (txHash !== null && !payment.transfers.some((one) => one.txHash === txHash)) {
    // Named by an event just now; the rest comes with the resource.
    listed.push({ txHash, chain: chain ?? '', explorerUrl: null, stage: 'mempool', amount: '0' })
  }
  return [...new Map(listed.map((one) => [one.txHash, one])).values()]
}

/** The hash of a transaction, and where to see it, or how to take it along. */
export function TransactionLine({
  txHash,
  explorerUrl,
  say,
}: {
  txHash: string
  explorerUrl: string | null
  say: (text: string) => void
}): ReactNode {
  return (
    <p className="fact">
      <code className="fact-value" title={txHash} translate="no">
        {shortened(txHash)}
      </code>
      {isWebAddress(explorerUrl) ? (
        <a className="copy" href={explorerUrl} target="_blank" rel="noreferrer">
          <OutIcon />
          <span>{words.onExplorer}</span>
        </a>
      ) : (
        <CopyButton what="transaction" text={txHash} say={say} />
      )}
    </p>
  )
}

/** Links go to web pages only; `javascript:` and the like are text. */
export const isWebAddress = (url: string | null): url is string =>
  url !== null && /^https?:\/\//i.test(url)
