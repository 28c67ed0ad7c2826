import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { Inclusion, Payment } from '@settlewire/core/payment/payment'
import { findTransaction, publicTxHash } from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import { leaveParts } from './noise.ts'

/** What a comparison with the history finds of a transaction that a block holds for a payment. */
export type Comparison = 'known' | 'missing' | 'unclear'

/** A transaction in a block of this chain; its transfers are those to the payment. */
export interface Held extends Corroborated {
  readonly chain: string
}

/**
 * Whether a payment's history holds what a block holds for it. Money that is on record as a sum, or as
 * what a block added to a balance, cannot be compared one by one: it is known where it is as much as
 * the block holds, and unclear where it is less, because to tell it might count it twice.
 */
export function compare(payment: Payment, held: Held, all: readonly Held[]): Comparison {
  const { chain, txHash, block } = held
  const inclusion = findTransaction(payment.facts.transactions, { chain, txHash })?.inclusions[
    block.hash
  ]
  if (stands(inclusion) && holdsAll(payment, held, inclusion)) return 'known'
  const unnamed = unnamedIn(payment, held)
  if (unnamed.length === 0) return 'missing'
  const assets = new Set(held.transfers.map(assetOf))
  const isEnough = [...assets].every((asset) => {
    const inBlock = all.flatMap(({ transfers }) => transfers)
    return total(recordedIn(payment, held), asset) >= total(inBlock, asset)
  })
  return isEnough ? 'known' : 'unclear'
}

/** Whether the history holds it now, in whatever form. */
export function isOnRecord(payment: Payment, { chain, txHash, block }: Held): boolean {
  const transaction = findTransaction(payment.facts.transactions, { chain, txHash })
  return stands(transaction?.inclusions[block.hash])
}

const stands = (inclusion: Inclusion | undefined): inclusion is Inclusion =>
  inclusion?.canonical === true && inclusion.outcome === 'paid'

function holdsAll(payment: Payment, held: Held, { transfers }: Inclusion): boolean {
  const parts = new Set(transfers.map(({ part }) => part))
  const seen = { kind: 'included', source: '', at: 0, view: 0 } as const
  return leaveParts(payment, { ...held, ...seen }).transfers.every(({ part }) => parts.has(part))
}

/**
 * What is on record of it without the name of its transaction: sums of the same block, and what any
 * block added to a balance, because a balance may tell late what came earlier.
 */
function unnamedIn(payment: Payment, { chain, block, transfers }: Held): readonly SeenTransfer[] {
  const isNative = transfers.some(({ token }) => token === null)
  return payment.facts.transactions
    .filter((one) => one.chain === chain && publicTxHash(one.txHash) === null)
    .flatMap(({ inclusions }) =>
      Object.entries(inclusions).flatMap(([hash, inclusion]) => {
        if (!stands(inclusion)) return []
        const isSame = ({ token }: SeenTransfer): boolean =>
          token === null ? isNative : hash === block.hash
        return inclusion.transfers.filter(isSame)
      }),
    )
}

/** All that is on record of that block. */
const recordedIn = (payment: Payment, { chain, block }: Held): readonly SeenTransfer[] =>
  payment.facts.transactions
    .filter((one) => one.chain === chain)
    .flatMap(({ inclusions }) => {
      const inclusion = inclusions[block.hash]
      return stands(inclusion) ? inclusion.transfers : []
    })

const assetOf = ({ token, to }: SeenTransfer): string => `${token} ${to}`

const total = (transfers: readonly SeenTransfer[], asset: string): bigint =>
  transfers.reduce((sum, one) => (assetOf(one) === asset ? sum + one.amount : sum), 0n)
