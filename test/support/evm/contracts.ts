/** Contracts that are deployed on public chains, on a test's own anvil. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { encodeFunctionData, type Hex, parseAbi } from 'viem'
import type { Anvil } from '../anvil.ts'

/** Its address on every chain: https://www.multicall3.com. */
export const multicall3 = '0xca11bde05977b3631167028862be2a173976ca11'

/** The canonical Multicall3: its deployment code without the first 32 bytes. */
export async function deployMulticall3(anvil: Anvil): Promise<void> {
  // viem contains it for calls without a deployment, but does not export it.
  const viem = pathToFileURL(createRequire(import.meta.url).resolve('viem/package.json'))
  const { multicall3Bytecode } = await import(new URL('_esm/constants/contracts.js', viem).href)
  await anvil.rpc('anvil_setCode', [multicall3, `0x${multicall3Bytecode.slice(2 + 64)}`])
}

const abi = parseAbi([
  'struct Call { address target; bool allowFailure; uint256 value; bytes callData; }',
  'function aggregate3Value(Call[] calls) payable',
])

/** One call that Multicall3 makes for its caller. */
export interface BatchCall {
  readonly target: string
  readonly value?: bigint
  readonly data?: string
  readonly mayFail?: boolean
}

/** The calldata of a batch: a `transfer` is not at the place where a wallet would put it. */
export const batch = (calls: readonly BatchCall[]): Hex =>
  encodeFunctionData({
    abi,
    functionName: 'aggregate3Value',
    args: [
      // Addresses and calldata come from the test.
      calls.map(({ target, value = 0n, data = '0x', mayFail = false }) => ({
        target: target as Hex,
        allowFailure: mayFail,
        value,
        callData: data as Hex,
      })),
    ],
  })

/** Pays through Multicall3, with the native coin that the calls forward. */
export const payByBatch = (
  anvil: Anvil,
  calls: readonly BatchCall[],
  from = anvil.accounts[0],
): Promise<string> => {
  const value = calls.reduce((sum, call) => sum + (call.value ?? 0n), 0n)
  const call = { from, to: multicall3, data: batch(calls), value: `0x${value.toString(16)}` }
  return anvil.rpc('eth_sendTransaction', [{ ...call, gas: '0x7a120' }])
}

const transferTopic = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

/**
 * A token that keeps a fee of 1 % and has no accounts: its log always says that 99 % of the amount
 * moved. Multiply, divide, LOG3(caller, to), return true.
 */
export async function deployFeeToken(anvil: Anvil, address: string): Promise<void> {
  const keep = '60243560630260649004600052'
  const tell = `60043533${`7f${transferTopic}`}60206000a3`
  await anvil.rpc('anvil_setCode', [address, `0x${keep}${tell}600160005260206000f3`])
}
