/** Converts configured chains for the follower, the engine and the API. */
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

/** The chains of the configuration file; empty without a file. Throws `invalid_config`. */
export async function configuredChains(
  root: string,
  config: Pick<Config, 'configFile' | 'variable'>,
  readers?: ChainReaders,
): Promise<readonly ChainConfig[]> {
  const file = findConfigFile(root, config.configFile)
  return file === null ? [] : loadConfigFile(file, config.variable, readers)
}

/** Adds the sandbox's chain. Throws `invalid_config` if the configuration has the same chain. */
export function withSandbox(
  configured: readonly ChainConfig[],
  sandbox: Pick<Sandbox, 'chain' | 'tokens'> | null,
  settings: Config['sandbox'],
): readonly ChainConfig[] {
  if (sandbox === null) return configured
  const { tokens } = sandbox
  // The block time of a chain that we did not start is unknown.
  const isOurs = settings !== null && settings.rpcUrl === null
  const blockMs = isOurs ? settings.blockSeconds * 1_000 : joinedBlockMs
  const local = sandboxChain({ ...sandbox.chain, tokens, blockMs })
  const same = configured.find(
    ({ name, chainId }) => name === local.name || chainId === local.chainId,
  )
  if (same === undefined) return [local, ...configured]
  throw new Failure(
    'invalid_config',
    `/chains/${same.name} is also the chain of the sandbox: rename it, or start with SANDBOX=off.`,
  )
}

/** Adds the tokens that open payments accept, even if they are no longer configured. */
export function withOpenTokens<Chain extends Pick<EvmChain, 'name' | 'tokens'>>(
  chain: Chain,
  open: ReadonlySet<string>,
): Chain {
  const known = new Set(tokensOf(chain))
  const dropped = [...open].filter((token) => !known.has(token.toLowerCase()))
  return { ...chain, tokens: [...chain.tokens, ...dropped.map((address) => ({ address }))] }
}

/** The assets of a chain that new payments may accept. */
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

/** The URL of a transaction in a block explorer; null without an explorer. */
export function explorerUrl(chain: ChainConfig | undefined, txHash: string): string | null {
  return chain?.explorerTx?.replace('{hash}', encodeURIComponent(txHash)) ?? null
}
