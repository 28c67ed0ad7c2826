import { evm } from '../../../server/src/chain/evm/evm-kind.ts'
import { KindBook } from '../../../server/src/engine/payment/kind-book.ts'

/** These chains, all of them EVM chains. */
export const evmChains = (...names: readonly string[]): KindBook =>
  new KindBook(
    [evm],
    names.map((name) => ({ name, kind: evm.name })),
  )
