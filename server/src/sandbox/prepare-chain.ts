import { Failure } from '@settlewire/core/errors'
import type { KnownToken } from '../chain-config.ts'
import type { Clock } from '../ports/clock.ts'
import bridged from './artifacts/TestBridgedUSDC.json' with { type: 'json' }
import multicall from './artifacts/TestMulticall.json' with { type: 'json' }
import payer from './artifacts/TestPayer.json' with { type: 'json' }
import toll from './artifacts/TestToll.json' with { type: 'json' }
import usdc from './artifacts/TestUSDC.json' with { type: 'json' }
import type { LocalChain } from './local-chain.ts'
import { textOf, word } from './rpc.ts'
import { askToken, balanceOf, testTokens, tokenCall } from './token.ts'

type Chain = Pick<LocalChain, 'call' | 'accounts'>

/** The roles of the unlocked accounts of a development chain. */
export interface Cast {
  /** Has plenty of every token. It only sends payments. */
  readonly payer: string
  /** Have test dollars. Each can have one pending transaction without blocking another. */
  readonly holders: readonly string[]
  /** Deploys and owns the contracts, and has approval to move the payer's tokens. */
  readonly spender: string
}

/** The contract that pays for others. It has the same address on every development chain. */
export const payerContract = payer.address

/** The address of Multicall3, the same as on public chains. */
export const multicall3 = '0xca11bde05977b3631167028862be2a173976ca11'

const factory = '0x4e59b44847b379578588920ca78fbf26c0b4956c'
const deployed = [usdc, bridged, toll, payer]

/** The balance that each account gets, and the level below which it gets more. */
const stock = 10_000_000_000_000n
const low = 1_000_000_000_000n
const withoutEnd = 2n ** 256n - 1n

export function castOf(accounts: readonly string[]): Cast {
  const [first] = accounts
  const last = accounts.at(-1)
  if (first === undefined || last === undefined) {
    throw new Failure('invalid_config', 'The development chain has no unlocked account.')
  }
  return { payer: first, holders: accounts.slice(1, -1), spender: last }
}

/**
 * Makes sure that the sandbox's contracts are deployed and that its accounts can pay with them.
 * Sends only what is missing. Rejects with a `Failure`.
 */
export async function prepareChain(chain: Chain, clock: Clock): Promise<Cast> {
  const cast = castOf(chain.accounts)
  await runAll(chain, clock, await deployments(chain, cast))
  const steps = await Promise.all([...mints(chain, cast), ...approvals(chain, cast)])
  await runAll(chain, clock, steps.flat())
  await placeMulticall(chain)
  return cast
}

async function deployments({ call }: Chain, { spender }: Cast): Promise<object[]> {
  const codeAt = (address: string) => textOf(call('eth_getCode', [address, 'latest']))
  if ((await codeAt(factory)) === '0x') {
    throw new Failure(
      'invalid_config',
      `The development chain lacks the CREATE2 factory at ${factory}, which anvil has.`,
    )
  }
  const codes = await Promise.all(deployed.map(({ address }) => codeAt(address)))
  return deployed
    .filter((_, i) => codes[i] === '0x')
    .map(({ bytecode }) => ({ from: spender, to: factory, data: factoryCall(bytecode) }))
}

/** Calldata of the factory: salt 0 and the bytecode. */
const factoryCall = (bytecode: string): string => `0x${word(0n)}${bytecode.slice(2)}`

/** Mints test dollars for the payer and the holders, and the other tokens for the payer. */
function mints({ call }: Chain, { payer, holders }: Cast): Promise<object[]>[] {
  const mint = async ({ address: to }: KnownToken, account: string): Promise<object[]> => {
    if ((await balanceOf(call, to, account)) >= low) return []
    const from = `0x${(await askToken(call, to, tokenCall('owner'))).slice(-40)}`
    return [{ from, to, data: tokenCall('mint', account, stock) }]
  }
  return testTokens.flatMap((token) => {
    const who = token.symbol === 'USDC' ? [payer, ...holders] : [payer]
    return who.map((account) => mint(token, account))
  })
}

function approvals({ call }: Chain, { payer, spender }: Cast): Promise<object[]>[] {
  const approve = async ({ address: to }: KnownToken, who: string): Promise<object[]> => {
    const allowed = await askToken(call, to, tokenCall('allowance', payer, who))
    if (BigInt(allowed) >= withoutEnd) return []
    return [{ from: payer, to, data: tokenCall('approve', who, withoutEnd) }]
  }
  return testTokens.flatMap((token) => [approve(token, spender), approve(token, payerContract)])
}

/** No key can deploy to that address here, so the deployed code is set directly. */
async function placeMulticall({ call }: Chain): Promise<void> {
  if ((await textOf(call('eth_getCode', [multicall3, 'latest']))) !== '0x') return
  const code = await textOf(call('eth_call', [{ data: multicall.bytecode }, 'latest']))
  await call('anvil_setCode', [multicall3, code])
}

/** Sends transactions, mines them at once, and waits until all have succeeded. */
async function runAll(
  { call }: Chain,
  clock: Clock,
  transactions: readonly object[],
): Promise<void> {
  if (transactions.length === 0) return
  const hashes: string[] = []
  // One after the other: two in parallel could get the same nonce.
  for (const transaction of transactions) {
    hashes.push(await textOf(call('eth_sendTransaction', [{ gas: '0x2dc6c0', ...transaction }])))
  }
  await call('evm_mine')
  for (const hash of hashes) {
    for (let tries = 0; !(await hasRun(call, hash)); tries++) {
      if (tries > 100)
        throw new Failure('chain_unavailable', 'The development chain mines no blocks.')
      await clock.sleep(50)
    }
  }
}

async function hasRun(call: Chain['call'], hash: string): Promise<boolean> {
  const receipt = await call('eth_getTransactionReceipt', [hash])
  if (typeof receipt !== 'object' || receipt === null || !('status' in receipt)) return false
  if (receipt.status === '0x1') return true
  throw new Failure('chain_unavailable', 'A transaction that sets up the sandbox has reverted.')
}
