import type { Scope } from '../engine/payment/once.ts'
import type { Principal } from '../ports/access.ts'

/** Whose payments a key may see and move: those of its merchant, in its mode. */
export const scopeOf = ({ merchantId, livemode }: Principal): Scope => ({ merchantId, livemode })
