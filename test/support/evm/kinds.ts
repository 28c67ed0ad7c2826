import { evm } from '../../../server/src/chain/evm/evm-kind.ts'
import { KindBook } from '../../../server/src/engine/payment/kind-book.ts'

/** The kinds of these chains, all EVM. */
export const evmChains = (...names: readonly string[]): KindBook =>
  new KindBook(
    [evm],
    names.map((name) => ({ name, kind: evm.name })),
  )
