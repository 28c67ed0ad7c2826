import type { WireTransfer } from '@settlewire/core/wire'
import { chainName } from '@settlewire/core/words'
import type { ReactNode } from 'react'
import { CopyButton } from './copyable.tsx'
import { OutIcon } from './icons.tsx'
import { shortened } from './money.ts'
import type { Shown } from './payment.ts'
import { stageWords, words } from './words.ts'

type Listed = Pick<WireTransfer, 'chain' | 'explorerUrl' | 'stage'> & { readonly txHash: string }

/** The transactions that pay it: on which chain, and where to see them with one's own eyes. */
export function Transactions({
  shown: { payment, progress },
  say,
}: {
  shown: Shown
  say: (text: string) => void
}): ReactNode {
  const listed: Listed[] = payment.transfers.filter(
    (one): one is WireTransfer & Listed => one.stage !== 'ignored' && one.txHash !== null,
  )
  const { txHash, chain } = progress
  if (txHash !== null && !listed.some((one) => one.txHash === txHash)) {
    // Named by an event just now; its link comes with the resource.
    listed.push({ txHash, chain: chain ?? '', explorerUrl: null, stage: 'mempool' })
  }
  const once = [...new Map(listed.map((one) => [one.txHash, one])).values()]
  if (once.length === 0) return null
  return (
    <ul className="transactions">
      {once.map((one) => (
        <li key={one.txHash} className="fact">
          <span className="fact-name">
            {[words.transaction, chainName(one.chain), stageWords[one.stage]]
              .filter(Boolean)
              .join(' · ')}
          </span>
          <code className="fact-value" title={one.txHash}>
            {shortened(one.txHash)}
          </code>
          <span className="fact-actions">
            {isWebAddress(one.explorerUrl) ? (
              <a className="copy" href={one.explorerUrl} target="_blank" rel="noreferrer">
                <OutIcon />
                <span>{words.onExplorer}</span>
              </a>
            ) : (
              <CopyButton what="transaction" text={one.txHash} say={say} />
            )}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Links go to web pages only; `javascript:` and the like are text. */
export const isWebAddress = (url: string | null): url is string =>
  url !== null && /^https?:\/\//i.test(url)
