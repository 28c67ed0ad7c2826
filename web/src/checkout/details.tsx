import type { PaymentIntent, WireAcceptance } from '@settlewire/core/wire/wire'
import type { ReactNode } from 'react'
import { dateAndTime } from './time.ts'
import { words } from './words.ts'

interface Props {
  readonly payment: PaymentIntent
  readonly accept: WireAcceptance | undefined
  readonly chain: string
}

/** Details that careful payers compare and that support asks for. */
export function Details({ payment, accept, chain }: Props): ReactNode {
  const facts: readonly (readonly [name: string, value: string | null])[] = [
    [words.reference, payment.id],
    [words.created, dateAndTime(Date.parse(payment.createdAt))],
    [words.token, accept?.token ?? null],
    [words.chainId, accept === undefined ? null : `${accept.chainId} (${chain})`],
  ]
  return (
    <details className="details">
      <summary>{words.details}</summary>
      <dl>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd translate="no">{value}</dd>
            </div>
          ),
        )}
      </dl>
    </details>
  )
}
