import { printAmount } from '@settlewire/core/money/amount'
import type { WireTransfer } from '@settlewire/core/wire/wire'
import { uncountedOf, whyUncounted } from '@settlewire/core/words/uncounted'
import type { ReactNode } from 'react'
import type { ShownPayment } from './payment.ts'
import { chainNameOf } from './payment.ts'
import { Sentence } from './sentence.tsx'
import { TransactionLine } from './transaction.tsx'
import { words } from './words.ts'

/** The page shows at most this many, because anyone can send small transfers. */
const shownMax = 5

interface Props {
  readonly shown: ShownPayment
  readonly announce: (text: string) => void
}

/** Money that came but does not count: asset, amount, transaction, and what to do about it. */
export function Uncounted({ shown, announce }: Props): ReactNode {
  const all = uncountedOf(shown.payment)
  if (all.length === 0) return null
  const more = all.length - shownMax
  return (
    <section className="uncounted">
      <h3>{words.uncounted}</h3>
      <ul>
        {all.slice(0, shownMax).map((one, place) => (
          <li key={`${one.txHash ?? place}:${one.chain}:${one.units ?? ''}`}>
            <p>
              <Sentence text={words.movedOn(movedBy(one), chainNameOf(shown, one.chain))} />
            </p>
            <p>
              <Sentence text={whyUncounted(one)} />
            </p>
            {one.txHash === null ? null : (
              <TransactionLine
                txHash={one.txHash}
                explorerUrl={one.explorerUrl}
                announce={announce}
              />
            )}
          </li>
        ))}
      </ul>
      {more > 0 ? (
        <p>
          <Sentence text={words.moreUncounted(more)} />
        </p>
      ) : null}
    </section>
  )
}

function movedBy({ asset, units, decimals, count, ignored }: WireTransfer): string {
  if (ignored === 'paid_elsewhere') return words.aTransaction
  const known = asset !== null && units !== undefined && typeof decimals === 'number'
  const what = known ? `${printAmount(BigInt(units), decimals)} ${asset}` : words.unknownToken
  return count === undefined ? what : words.inTransfers(what, count)
}
