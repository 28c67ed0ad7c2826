import { Failure } from '@settlewire/core/errors'
import type { Clock } from '../ports.ts'
import artifact from './artifacts/TestUSDC.json' with { type: 'json' }
import type { LocalChain } from './local-chain.ts'
import { textOf, word } from './rpc.ts'

export interface TestToken {
  readonly symbol: string
  /** The same on every development chain: the code decides it, not who deployed it or when. */
  readonly address: string
  readonly decimals: number
}

const token: TestToken = { symbol: 'USDC', address: artifact.address, decimals: 6 }
const factory = '0x4e59b44847b379578588920ca78fbf26c0b4956c'
const selectors = { mint: '0x40c10f19', balanceOf: '0x70a08231', owner: '0x8da5cb5b' } as const

/** What the payer gets, and the level below which it gets it again. */
const stock = 10_000_000_000_000n
const low = 1_000_000_000_000n

/**
 * Makes sure that the test token is on the chain and that the payer holds plenty of it. The second
 * time it only looks: two calls, nothing sent.
 */
export async function ensureToken(
  chain: LocalChain,
  payer: string,
  clock: Clock,
): Promise<TestToken> {
  if (!(await isDeployed(chain))) await deploy(chain, clock)
  if ((await balanceOf(chain, payer)) < low) await mint(chain, payer, clock)
  return token
}

/** What an account holds, in the token's smallest unit. */
export const balanceOf = async (chain: LocalChain, account: string): Promise<bigint> =>
  BigInt(await read(chain, selectors.balanceOf + word(account)))

const isDeployed = async (chain: LocalChain): Promise<boolean> =>
  (await textOf(chain.call('eth_getCode', [token.address, 'latest']))) !== '0x'

async function deploy(chain: LocalChain, clock: Clock): Promise<void> {
  if ((await textOf(chain.call('eth_getCode', [factory, 'latest']))) === '0x') {
    throw new Failure(
      'invalid_config',
      `The development chain lacks the CREATE2 factory at ${factory}, which anvil has.`,
    )
  }
  // The last account deploys and owns, so that the payer's transactions are payments alone.
  const from = chain.accounts.at(-1)
  await run(chain, clock, { from, to: factory, data: `0x${word(0n)}${artifact.bytecode.slice(2)}` })
  if (!(await isDeployed(chain))) {
    throw new Failure('chain_unavailable', 'The test token could not be deployed.')
  }
}

async function mint(chain: LocalChain, to: string, clock: Clock): Promise<void> {
  const owner = `0x${(await read(chain, selectors.owner)).slice(-40)}`
  const data = selectors.mint + word(to) + word(stock)
  await run(chain, clock, { from: owner, to: token.address, data })
}

const read = (chain: LocalChain, data: string): Promise<string> =>
  textOf(chain.call('eth_call', [{ to: token.address, data }, 'latest']))

/** Sends a transaction, has it mined at once, and waits until it ran. */
async function run(chain: LocalChain, clock: Clock, transaction: object): Promise<void> {
  const hash = await textOf(chain.call('eth_sendTransaction', [transaction]))
  await chain.call('evm_mine')
  for (let tries = 0; tries < 100; tries++) {
    const receipt = await chain.call('eth_getTransactionReceipt', [hash])
    if (typeof receipt === 'object' && receipt !== null && 'status' in receipt) {
      if (receipt.status === '0x1') return
      throw new Failure('chain_unavailable', 'Setting up the test token failed on the chain.')
    }
    await clock.sleep(50)
  }
  throw new Failure('chain_unavailable', 'The development chain does not mine.')
}
