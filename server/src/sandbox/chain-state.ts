import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What of anvil's state file is looked at. */
interface State {
  readonly blocks?: readonly { readonly header?: { number?: string; timestamp?: string } }[]
}

/**
 * Leaves a saved chain with one genesis block, its oldest. Anvil makes a new one at every start and
 * saves it beside the one it loads; at the next start either may answer for number 0, and the chain
 * would be taken for another one. A file that cannot be read is left to anvil to refuse.
 */
export function keepFirstGenesis(path: string): void {
  const state = existsSync(path) ? parse(readFileSync(path, 'utf8')) : null
  if (state?.blocks === undefined) return
  const heights = state.blocks.map(({ header }) => BigInt(header?.number ?? -1))
  const genesis = state.blocks.filter((_, i) => heights[i] === 0n)
  if (genesis.length < 2) return
  const minedAt = (block: (typeof genesis)[number]) => BigInt(block.header?.timestamp ?? 0)
  const first = genesis.reduce((a, b) => (minedAt(b) < minedAt(a) ? b : a))
  const blocks = state.blocks.filter((block, i) => heights[i] !== 0n || block === first)
  const draft = `${path}.draft`
  writeFileSync(draft, JSON.stringify({ ...state, blocks }))
  renameSync(draft, path)
}

function parse(text: string): State | null {
  try {
    // Anvil's own file: of its form only what is read here matters, and each field may be missing.
    return JSON.parse(text) as State
  } catch {
    return null
  }
}
