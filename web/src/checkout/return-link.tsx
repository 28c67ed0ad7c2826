import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { ReactNode } from 'react'
import { isWebAddress } from './transaction.tsx'
import { words } from './words.ts'

interface Props {
  readonly payment: PaymentIntent
  readonly merchant: string
  /** Whether it is the main action here. */
  readonly isMain: boolean
}

/** The link back to the shop, if the shop gave the address of a web page. */
export function ReturnLink({ payment, merchant, isMain }: Props): ReactNode {
  if (!isWebAddress(payment.redirectUrl)) return null
  return (
    <a
      className={isMain ? 'button return' : 'button button-quiet return'}
      href={payment.redirectUrl}
    >
      {merchant === '' ? words.returnToShop : words.returnTo(merchant)}
    </a>
  )
}
