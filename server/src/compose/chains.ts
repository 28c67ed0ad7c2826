/** What a configured chain is to each part: the follower, the engine, the API. */
import { Failure } from '@settlewire/core/errors'
import { type EvmChain, tokensOf } from '../chain/evm/evm-chain.ts'
import type { ChainConfig } from '../chain-config.ts'
import type { Config } from '../config.ts'
import type { Asset } from '../engine/payment/asset.ts'
import type { ChainReaders } from '../registry/chain-reader.ts'
import { findConfigFile, loadConfigFile } from '../registry/config-file.ts'
import { sandboxChain } from '../registry/sandbox.ts'
import type { Sandbox } from '../sandbox/start-sandbox.ts'

const joinedBlockMs = 2_000

/** The chains of the configuration file, none without one. Throws `invalid_config`. */
export async function configuredChains(
  root: string,
  config: Pick<Config, 'configFile' | 'variable'>,
  readers?: ChainReaders,
): Promise<readonly ChainConfig[]> {
  const file = findConfigFile(root, config.configFile)
  return file === null ? [] : loadConfigFile(file, config.variable, readers)
}

/** The sandbox's chain beside them. Throws `invalid_config` when it is one of them. */
export function withSandbox(
  configured: readonly ChainConfig[],
  sandbox: Pick<Sandbox, 'chain' | 'tokens'> | null,
  settings: Config['sandbox'],
): readonly ChainConfig[] {
  if (sandbox === null) return configured
  const { tokens } = sandbox
  // A chain that was running before makes its blocks as somebody else told it to.
  const isOurs = settings !== null && settings.rpcUrl === null
  const blockMs = isOurs ? settings.blockSeconds * 1_000 : joinedBlockMs
  const local = sandboxChain({ ...sandbox.chain, tokens, blockMs })
  const same = configured.find(
    ({ name, chainId }) => name === local.name || chainId === local.chainId,
  )
  if (same === undefined) return [local, ...configured]
  throw new Failure(
    'invalid_config',
    `/chains/${same.name} is the chain of the sandbox: rename it, or start with SANDBOX=off.`,
  )
}

/** With the tokens that open payments are paid in, whether or not they are still configured. */
export function withOpenTokens<Chain extends Pick<EvmChain, 'name' | 'tokens'>>(
  chain: Chain,
  open: ReadonlySet<string>,
): Chain {
  const known = new Set(tokensOf(chain))
  const dropped = [...open].filter((token) => !known.has(token.toLowerCase()))
  return { ...chain, tokens: [...chain.tokens, ...dropped.map((address) => ({ address }))] }
}

/** What requests may name. */
export function assetsOf(chain: ChainConfig): readonly Asset[] {
  const { name, chainId, livemode, toleranceBps, pendingTtlMs, native } = chain
  const common = { chain: name, chainId, livemode, toleranceBps, pendingTtlMs }
  const known = [
    ...chain.tokens.map((token) => ({ ...token, token: token.address })),
    { ...native, token: null },
  ]
  return known
    .filter(({ accepted }) => accepted)
    .map(({ symbol, currency, token, decimals, dust }) => ({
      ...{ ...common, symbol, currency, token, decimals, dust },
    }))
}

/** Where people look a transaction up; null without an explorer. */
export function explorerUrl(chain: ChainConfig | undefined, txHash: string): string | null {
  return chain?.explorerTx?.replace('{hash}', encodeURIComponent(txHash)) ?? null
}
