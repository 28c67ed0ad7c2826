import type { ChainSight } from '@settlewire/client/wire-event'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

/** What the server puts into the page, so that it never opens blank. */
export interface PageState {
  readonly payment: PaymentIntent
  readonly merchant: { readonly name: string }
  /** Opens this payment and nothing else. Sent as a header, so that the page needs no cookie. */
  readonly clientSecret: string
  /** How the chains of the payment are called. */
  readonly chainNames: Readonly<Record<string, string>>
  readonly serverTime: string
  /** How well each accepted chain is seen. */
  readonly chains: readonly ChainSight[]
  /** Whether the sandbox's wallet can pay it. */
  readonly sandbox: boolean
}

const blockId = 'settlewire-state'

/** Reads the server's block of JSON. Null on a page that was not served by Settlewire. */
export function readPageState(page: Document): PageState | null {
  const text = page.getElementById(blockId)?.textContent
  if (!text) return null
  return JSON.parse(text) as PageState // written by the server that serves this page
}
