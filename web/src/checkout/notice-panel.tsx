import { statusWords } from '@settlewire/core/words'
import type { ReactNode } from 'react'
import { ClockIcon, CrossIcon, LensIcon } from './icons.tsx'
import { grouped } from './money.ts'
import type { Shown } from './payment.ts'
import type { Screen } from './screen.ts'
import { dateAndTime } from './time.ts'
import { Transactions } from './transaction.tsx'
import { nextSteps, words } from './words.ts'

interface Props {
  readonly shown: Shown
  readonly screen: Screen
  readonly say: (text: string) => void
}

/** It does not simply go on: what to do now, and what support will ask for. */
export function NoticePanel({ shown, screen, say }: Props): ReactNode {
  const { payment } = shown
  const hasMoney = screen.seen !== '0.00'
  return (
    <>
      <span className="emblem">{screen.isTimeUp ? <ClockIcon /> : emblemOf(payment.status)}</span>
      <ul className="advice">
        {nextSteps[payment.status].map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <div className="facts">
        {hasMoney ? (
          <div className="fact">
            <span className="fact-name">{words.received}</span>
            <span className="fact-value figure">
              {words.amountSeen(grouped(screen.seen), payment.currency)}
            </span>
          </div>
        ) : null}
        {payment.status === 'expired' ? (
          <div className="fact">
            <span className="fact-name">{words.watchedUntil}</span>
            <span className="fact-value">{dateAndTime(Date.parse(payment.monitorUntil))}</span>
          </div>
        ) : null}
        <div className="fact">
          <span className="fact-name">{words.reference}</span>
          <code className="fact-value id">{payment.id}</code>
        </div>
      </div>
      <Transactions shown={shown} say={say} />
    </>
  )
}

function emblemOf(status: Shown['payment']['status']): ReactNode {
  if (status === 'expired') return <ClockIcon />
  return statusWords[status].tone === 'unclear' ? <LensIcon /> : <CrossIcon />
}
