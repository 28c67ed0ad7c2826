import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { type Asset, assetName } from './asset.ts'

/** Whether an asset may be asked for. Payments that were opened before go on whatever it is. */
export type AssetState =
  | { readonly kind: 'active' }
  /** Its chain has not confirmed yet that the asset is what the registry says. */
  | { readonly kind: 'unchecked' }
  /** Its chain contradicts the registry: `reason` says how, for people. */
  | { readonly kind: 'disabled'; readonly reason: string }

/** Every configured asset, and whether it may be asked for right now. */
export class AssetBook {
  readonly all: readonly Asset[]
  readonly #states: Map<string, AssetState>

  /** All begin in the same state: those of a chain that is asked first are `unchecked` until it answered. */
  constructor(assets: readonly Asset[], state: AssetState = { kind: 'active' }) {
    this.all = assets
    this.#states = new Map(assets.map((asset) => [assetName(asset), state]))
    assert(this.#states.size === assets.length, 'no two assets have one name')
  }

  stateOf(asset: Asset): AssetState {
    const state = this.#states.get(assetName(asset))
    assert(state !== undefined, 'the asset is in the book')
    return state
  }

  /** True when that is news. */
  set(asset: Asset, state: AssetState): boolean {
    const before = this.stateOf(asset)
    this.#states.set(assetName(asset), state)
    return before.kind !== state.kind || reasonOf(before) !== reasonOf(state)
  }

  /** What requests may name without being refused. */
  offered(): readonly Asset[] {
    return this.all.filter((asset) => this.stateOf(asset).kind === 'active')
  }

  /** Throws `asset_disabled` for the first that may not be asked for, and says why. */
  assertOffered(assets: readonly Asset[]): void {
    for (const asset of assets) {
      const state = this.stateOf(asset)
      if (state.kind === 'active') continue
      const detail = `${assetName(asset)} is not taken right now: ${reasonOf(state)}`
      throw new Failure('asset_disabled', detail, { fields: [{ pointer: '/accept', detail }] })
    }
  }
}

/** Why an asset is not offered; null when it is. */
export function reasonOf(state: AssetState): string | null {
  if (state.kind === 'active') return null
  return state.kind === 'unchecked' ? 'Its chain could not be asked about it yet.' : state.reason
}
