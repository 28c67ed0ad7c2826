import type { Scope } from '../engine/payment/once.ts'
import type { Principal } from '../ports/access.ts'

/** The payments that a key may read and change: those of its merchant, in its mode. */
export const scopeOf = ({ merchantId, livemode }: Principal): Scope => ({ merchantId, livemode })
