import type { WireTransfer } from '@settlewire/core/wire/wire'
import { stageLabels } from '@settlewire/core/words/stage-words'
import type { ReactNode } from 'react'
import { CopyButton } from './copyable.tsx'
import { OutIcon } from './icons.tsx'
import { shortened } from './money.ts'
import { chainNameOf, type ShownPayment } from './payment.ts'
import { Sentence } from './sentence.tsx'
import { words } from './words.ts'

type Listed = Pick<WireTransfer, 'chain' | 'explorerUrl' | 'stage' | 'amount'> & {
  readonly txHash: string
}

/** The transactions of the payment: amount, chain, and a link to an explorer. */
export function Transactions({
  shown,
  announce,
}: {
  shown: ShownPayment
  announce: (text: string) => void
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
                chainNameOf(shown, chain),
              )}
            />
            <span className="stage">{stageLabels[stage]}</span>
          </p>
          <TransactionLine txHash={txHash} explorerUrl={explorerUrl} announce={announce} />
        </li>
      ))}
    </ul>
  )
}

function listedOf({ payment, progress }: ShownPayment): readonly Listed[] {
  const listed: Listed[] = payment.transfers.filter(
    (one): one is WireTransfer & Listed => one.stage !== 'ignored' && one.txHash !== null,
  )
  const { txHash, chain } = progress
  if (txHash !== null && !payment.transfers.some((one) => one.txHash === txHash)) {
    // An event has just named it; the resource brings the other fields.
    listed.push({ txHash, chain: chain ?? '', explorerUrl: null, stage: 'mempool', amount: '0' })
  }
  return [...new Map(listed.map((one) => [one.txHash, one])).values()]
}

/** The hash of a transaction, with a link to an explorer or a copy button. */
export function TransactionLine({
  txHash,
  explorerUrl,
  announce,
}: {
  txHash: string
  explorerUrl: string | null
  announce: (text: string) => void
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
        <CopyButton what="transaction" text={txHash} announce={announce} />
      )}
    </p>
  )
}

/** Only web addresses become links; `javascript:` and others stay text. */
export const isWebAddress = (url: string | null): url is string =>
  url !== null && /^https?:\/\//i.test(url)
