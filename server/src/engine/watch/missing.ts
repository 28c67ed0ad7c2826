import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { Inclusion, Payment } from '@settlewire/core/payment/payment'
import { findTransaction, publicTxHash } from '@settlewire/core/payment/transaction'
import type { Corroborated } from '../../ports/chain.ts'
import { sumUpRest } from './noise.ts'

/** How a transaction that a block holds for a payment compares with the payment's history. */
export type Comparison = 'known' | 'missing' | 'unclear'

/** A transaction in a block of this chain; its transfers are those to the payment. */
export interface HeldTransaction extends Corroborated {
  readonly chain: string
}

/**
 * Compares what a block holds for a payment with the payment's history. Money recorded as a sum, or
 * as an increase of a balance, cannot be compared one by one. It is `known` when the record has at
 * least as much as the block holds, else `unclear`, because adding it might count it twice.
 */
export function compare(
  payment: Payment,
  held: HeldTransaction,
  all: readonly HeldTransaction[],
): Comparison {
  const { chain, txHash, block } = held
  const inclusion = findTransaction(payment.facts.transactions, { chain, txHash })?.inclusions[
    block.hash
  ]
  if (isCanonicalPaid(inclusion) && holdsAll(payment, held, inclusion)) return 'known'
  const unnamed = unnamedIn(payment, held)
  if (unnamed.length === 0) return 'missing'
  const assets = new Set(held.transfers.map(assetOf))
  const isEnough = [...assets].every((asset) => {
    const inBlock = all.flatMap(({ transfers }) => transfers)
    return total(recordedIn(payment, held), asset) >= total(inBlock, asset)
  })
  return isEnough ? 'known' : 'unclear'
}

/** Whether the history holds the transaction now, in any form. */
export function isOnRecord(payment: Payment, { chain, txHash, block }: HeldTransaction): boolean {
  const transaction = findTransaction(payment.facts.transactions, { chain, txHash })
  return isCanonicalPaid(transaction?.inclusions[block.hash])
}

const isCanonicalPaid = (inclusion: Inclusion | undefined): inclusion is Inclusion =>
  inclusion?.canonical === true && inclusion.outcome === 'paid'

function holdsAll(payment: Payment, held: HeldTransaction, { transfers }: Inclusion): boolean {
  const parts = new Set(transfers.map(({ part }) => part))
  const seen = { kind: 'included', source: '', at: 0, view: 0 } as const
  return sumUpRest(payment, { ...held, ...seen }).transfers.every(({ part }) => parts.has(part))
}

/**
 * Recorded money that does not name its transaction: sums of the same block, and balance increases
 * of any block, because a balance may show earlier money late.
 */
function unnamedIn(
  payment: Payment,
  { chain, block, transfers }: HeldTransaction,
): readonly SeenTransfer[] {
  const isNative = transfers.some(({ token }) => token === null)
  return payment.facts.transactions
    .filter((one) => one.chain === chain && publicTxHash(one.txHash) === null)
    .flatMap(({ inclusions }) =>
      Object.entries(inclusions).flatMap(([hash, inclusion]) => {
        if (!isCanonicalPaid(inclusion)) return []
        const isSame = ({ token }: SeenTransfer): boolean =>
          token === null ? isNative : hash === block.hash
        return inclusion.transfers.filter(isSame)
      }),
    )
}

/** All recorded transfers of that block. */
const recordedIn = (payment: Payment, { chain, block }: HeldTransaction): readonly SeenTransfer[] =>
  payment.facts.transactions
    .filter((one) => one.chain === chain)
    .flatMap(({ inclusions }) => {
      const inclusion = inclusions[block.hash]
      return isCanonicalPaid(inclusion) ? inclusion.transfers : []
    })

const assetOf = ({ token, to }: SeenTransfer): string => `${token} ${to}`

const total = (transfers: readonly SeenTransfer[], asset: string): bigint =>
  transfers.reduce((sum, one) => (assetOf(one) === asset ? sum + one.amount : sum), 0n)
