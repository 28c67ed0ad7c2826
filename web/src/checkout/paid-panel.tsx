import type { ReactNode } from 'react'
import { Figure } from './figure.tsx'
import type { ShownPayment } from './payment.ts'
import { ReturnLink } from './return-link.tsx'
import { Transactions } from './transaction.tsx'

interface Props {
  readonly shown: ShownPayment
  readonly merchant: string
  readonly announce: (text: string) => void
}

/** The payment succeeded: the amount and the way back to the shop. */
export function PaidPanel({ shown, merchant, announce }: Props): ReactNode {
  const { payment } = shown
  return (
    <>
      <svg className="seal" viewBox="0 0 120 120" aria-hidden="true">
        <circle className="seal-wave" cx="60" cy="60" r="44" />
        <circle className="seal-disc" cx="60" cy="60" r="44" />
        <path className="seal-check" d="M41 61.5L54.5 75L80 47" pathLength={1} />
      </svg>
      <p className="panel-amount">
        <Figure amount={payment.amountReceived} unit={payment.currency} />
      </p>
      <ReturnLink payment={payment} merchant={merchant} isMain={true} />
      <Transactions shown={shown} announce={announce} />
    </>
  )
}
