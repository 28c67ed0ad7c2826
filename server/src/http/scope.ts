import type { Principal } from '../access.ts'
import type { Scope } from '../engine/once.ts'

/** Whose payments a key may see and move: those of its merchant, in its mode. */
export const scopeOf = ({ merchantId, livemode }: Principal): Scope => ({ merchantId, livemode })
