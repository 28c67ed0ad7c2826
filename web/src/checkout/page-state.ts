import type { ChainSight } from '@settlewire/client/wire-event'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

/** The state that the server embeds in the page, so that the page never opens blank. */
export interface PageState {
  readonly payment: PaymentIntent
  readonly merchant: { readonly name: string }
  /** Grants access to this payment only. Sent as a header, so that the page needs no cookie. */
  readonly clientSecret: string
  /** Names of the payment's chains for people. */
  readonly chainNames: Readonly<Record<string, string>>
  readonly serverTime: string
  /** How well each accepted chain is seen. */
  readonly chains: readonly ChainSight[]
  /** Whether the sandbox wallet can pay it. */
  readonly sandbox: boolean
}

const blockId = 'settlewire-state'

/** Reads the JSON that the server embedded. Null on a page that Settlewire did not serve. */
export function readPageState(page: Document): PageState | null {
  const text = page.getElementById(blockId)?.textContent
  if (!text) return null
  return JSON.parse(text) as PageState // written by the server that serves this page
}
