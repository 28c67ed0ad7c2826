import { statusWords } from '@settlewire/core/words/words'
import type { ReactNode } from 'react'
import { Figure } from './figure.tsx'
import { ClockIcon, CrossIcon, LensIcon } from './icons.tsx'
import type { ShownPayment } from './payment.ts'
import { ReturnLink } from './return-link.tsx'
import type { Screen } from './screen.ts'
import { dateAndTime } from './time.ts'
import { Transactions } from './transaction.tsx'
import { nextStepsOf, words } from './words.ts'

interface Props {
  readonly shown: ShownPayment
  readonly screen: Screen
  readonly merchant: string
  readonly announce: (text: string) => void
}

/** The payment stopped, or its time is up: what to do now, and what support will ask for. */
export function NoticePanel({ shown, screen, merchant, announce }: Props): ReactNode {
  const { payment } = shown
  // During an investigation an amount of zero is informative too.
  const showsMoney = screen.seen !== '0.00' || payment.status === 'investigation_required'
  return (
    <>
      <span className="emblem">{screen.isTimeUp ? <ClockIcon /> : emblemOf(payment.status)}</span>
      <ul className="advice">
        {nextStepsOf(payment).map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <div className="facts">
        {showsMoney ? (
          <div className="fact">
            <span className="fact-name">{words.received}</span>
            <span className="fact-value">
              <Figure amount={payment.amountReceived} unit={payment.currency} />
            </span>
          </div>
        ) : null}
        {payment.status === 'expired' ? (
          <div className="fact">
            <span className="fact-name">{words.watchedUntil}</span>
            <span className="fact-value" translate="no">
              {dateAndTime(Date.parse(payment.monitorUntil))}
            </span>
          </div>
        ) : null}
        <div className="fact">
          <span className="fact-name">{words.reference}</span>
          <code className="fact-value id" translate="no">
            {payment.id}
          </code>
        </div>
      </div>
      <ReturnLink payment={payment} merchant={merchant} isMain={false} />
      <Transactions shown={shown} announce={announce} />
    </>
  )
}

function emblemOf(status: ShownPayment['payment']['status']): ReactNode {
  if (status === 'expired') return <ClockIcon />
  return statusWords[status].tone === 'unclear' ? <LensIcon /> : <CrossIcon />
}
