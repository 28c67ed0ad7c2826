import type { ReactNode } from 'react'
import { grouped } from './money.ts'
import type { Shown } from './payment.ts'
import { isWebAddress, Transactions } from './transaction.tsx'
import { words } from './words.ts'

interface Props {
  readonly shown: Shown
  readonly merchant: string
  readonly say: (text: string) => void
}

/** The moment it was all for. */
export function PaidPanel({ shown, merchant, say }: Props): ReactNode {
  const { payment } = shown
  return (
    <>
      <svg className="seal" viewBox="0 0 120 120" aria-hidden="true">
        <circle className="seal-wave" cx="60" cy="60" r="44" />
        <circle className="seal-disc" cx="60" cy="60" r="44" />
        <path className="seal-check" d="M41 61.5L54.5 75L80 47" pathLength={1} />
      </svg>
      <p className="panel-amount figure">
        {words.amountSeen(grouped(payment.amountReceived), payment.currency)}
      </p>
      {isWebAddress(payment.redirectUrl) ? (
        <a className="button return" href={payment.redirectUrl}>
          {merchant === '' ? words.returnToShop : words.returnTo(merchant)}
        </a>
      ) : null}
      <Transactions shown={shown} say={say} />
    </>
  )
}
