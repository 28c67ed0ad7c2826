import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { type Asset, assetName } from './asset.ts'

/** Whether new requests may name an asset. Payments opened earlier continue in every state. */
export type AssetState =
  | { readonly kind: 'active' }
  /** Its chain has not confirmed yet that the registry describes the asset correctly. */
  | { readonly kind: 'unchecked' }
  /** Its chain contradicts the registry: `reason` explains how, for people. */
  | { readonly kind: 'disabled'; readonly reason: string }

/** Every configured asset, and whether requests may name it right now. */
export class AssetBook {
  readonly all: readonly Asset[]
  readonly #states: Map<string, AssetState>

  /** All start in the same state: `unchecked` where the chain is checked first. */
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

  /** Returns whether the state changed. */
  set(asset: Asset, state: AssetState): boolean {
    const before = this.stateOf(asset)
    this.#states.set(assetName(asset), state)
    return before.kind !== state.kind || reasonOf(before) !== reasonOf(state)
  }

  /** The assets that requests may name. */
  offered(): readonly Asset[] {
    return this.all.filter((asset) => this.stateOf(asset).kind === 'active')
  }

  /** Throws `asset_disabled` for the first asset that is not active, with the reason. */
  assertOffered(assets: readonly Asset[]): void {
    for (const asset of assets) {
      const state = this.stateOf(asset)
      if (state.kind === 'active') continue
      const detail = `${assetName(asset)} is not accepted right now: ${reasonOf(state)}`
      throw new Failure('asset_disabled', detail, { fields: [{ pointer: '/accept', detail }] })
    }
  }
}

/** Why an asset is not offered; null when it is. */
export function reasonOf(state: AssetState): string | null {
  if (state.kind === 'active') return null
  return state.kind === 'unchecked'
    ? 'The server could not check it against its chain yet.'
    : state.reason
}
