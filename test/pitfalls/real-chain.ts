/** A real chain for these scenarios: anvil with manual mining and the sandbox's contracts. */
import {
  type Abi,
  encodeFunctionData,
  type Hex,
  type TransactionSerializableEIP1559,
  type TransactionSerializableEIP7702,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import multicall from '../../server/src/sandbox/artifacts/TestMulticall.json' with { type: 'json' }
import payer from '../../server/src/sandbox/artifacts/TestPayer.json' with { type: 'json' }
import toll from '../../server/src/sandbox/artifacts/TestToll.json' with { type: 'json' }
import usdc from '../../server/src/sandbox/artifacts/TestUSDC.json' with { type: 'json' }
import { type Anvil, startAnvil } from '../support/anvil.ts'

interface Artifact {
  readonly abi: Abi
  readonly bytecode: Hex
}

// Printed by the compiler and tested against their sources.
const artifacts = { multicall, payer, toll, usdc } as unknown as Record<string, Artifact>

/** Anvil's default mnemonic, whose accounts it unlocks. */
const mnemonic = 'test test test test test test test test test test test junk'
/** The account that tests sign for: anvil never sends with it, so the tests control its nonces. */
const walletIndex = 5

type Wish = Partial<TransactionSerializableEIP1559>

export class RealChain {
  anvil: Anvil
  readonly #args: readonly string[]
  readonly wallet = mnemonicToAccount(mnemonic, { addressIndex: walletIndex })
  token = ''
  toll = ''
  payer = ''
  multicall = ''

  private constructor(anvil: Anvil, args: readonly string[]) {
    this.anvil = anvil
    this.#args = args
  }

  static async start(more: readonly string[] = []): Promise<RealChain> {
    const args = ['--no-mining', '--slots-in-an-epoch', '4', ...more]
    const chain = new RealChain(await startAnvil({ args }), args)
    chain.token = await chain.#deploy('usdc')
    chain.toll = await chain.#deploy('toll')
    chain.payer = await chain.#deploy('payer')
    chain.multicall = await chain.#deploy('multicall')
    for (const token of [chain.token, chain.toll]) {
      for (const to of [chain.from, chain.wallet.address]) {
        await chain.call(token, 'usdc', 'mint', [to, 10n ** 30n])
      }
      await chain.call(token, 'usdc', 'approve', [chain.payer, 2n ** 256n - 1n])
    }
    await chain.mine()
    return chain
  }

  /** The first account: unlocked, funded, and the owner of the tokens. */
  get from(): string {
    return this.anvil.accounts[0] ?? ''
  }

  async mine(blocks = 1): Promise<{ number: number; hash: string }> {
    await this.anvil.rpc('anvil_mine', [`0x${blocks.toString(16)}`])
    return this.head()
  }

  async head(): Promise<{ number: number; hash: string }> {
    const latest = ['latest', false]
    const { number, hash } = await this.anvil.rpc<{ number: string; hash: string }>(
      'eth_getBlockByNumber',
      latest,
    )
    return { number: Number(number), hash }
  }

  /** Replaces the last blocks by the same number of blocks without their transactions. */
  async reorg(depth: number): Promise<void> {
    await this.anvil.rpc('anvil_reorg', [depth, []])
  }

  pay = (to: string, amount: bigint, token = this.token): Promise<string> =>
    this.call(token, 'usdc', 'transfer', [to, amount])

  /** A call by the first account. The gas limit is given, so that reverting calls are sent too. */
  call(
    to: string,
    contract: 'usdc' | 'payer',
    functionName: string,
    args: readonly unknown[],
    value = 0n,
  ): Promise<string> {
    const { abi = [] } = artifacts[contract] ?? {}
    const data = encodeFunctionData({ abi, functionName, args })
    const call = { from: this.from, to, data, gas: '0x7a120', value: `0x${value.toString(16)}` }
    return this.anvil.rpc('eth_sendTransaction', [call])
  }

  coins = (to: string, value: bigint): Promise<string> =>
    this.anvil.rpc('eth_sendTransaction', [
      { from: this.from, to, value: `0x${value.toString(16)}` },
    ])

  /** Signs a token payment by the wallet, by default with its next nonce. */
  async sign(to: string, amount: bigint, wish: Wish = {}): Promise<Hex> {
    const { abi = [] } = artifacts.usdc ?? {}
    const data = encodeFunctionData({ abi, functionName: 'transfer', args: [to, amount] })
    return this.wallet.signTransaction({
      ...{ type: 'eip1559', chainId: this.anvil.chainId, nonce: await this.nonce() },
      // The address of our own deployment, as anvil printed it.
      ...{ to: this.token as Hex, data, gas: 200_000n },
      ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n },
      ...wish,
    })
  }

  /** Uses the wallet's nonce by an EIP-7702 authorization in another account's transaction. */
  async useUpNonce(nonce: number): Promise<void> {
    const { signAuthorization } = this.wallet
    if (signAuthorization === undefined) throw new Error('the wallet cannot sign authorizations')
    const authorization = await signAuthorization({
      ...{ chainId: this.anvil.chainId, nonce },
      contractAddress: this.payer as Hex, // deployed by us
    })
    const sponsor = mnemonicToAccount(mnemonic, { addressIndex: walletIndex + 1 })
    const wish: TransactionSerializableEIP7702 = {
      ...{ type: 'eip7702', chainId: this.anvil.chainId, nonce: await this.nonce(sponsor.address) },
      ...{ to: sponsor.address, gas: 200_000n, authorizationList: [authorization] },
      ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 10n },
    }
    await this.send(await sponsor.signTransaction(wish))
  }

  send = (signed: Hex): Promise<string> => this.anvil.rpc('eth_sendRawTransaction', [signed])

  async nonce(address: string = this.wallet.address): Promise<number> {
    return Number(await this.anvil.rpc<string>('eth_getTransactionCount', [address, 'latest']))
  }

  stop = (): Promise<void> => this.anvil.stop()

  /** With `--state` the chain continues, but the node no longer has older balances. */
  async restart(): Promise<void> {
    const { port } = this.anvil
    await this.anvil.stop()
    this.anvil = await startAnvil({ port, args: this.#args })
  }

  async #deploy(name: string): Promise<string> {
    const data = artifacts[name]?.bytecode
    const hash = await this.anvil.rpc('eth_sendTransaction', [
      { from: this.from, data, gas: '0x4c4b40' },
    ])
    await this.mine()
    const receipt = await this.anvil.rpc<{ contractAddress: string }>('eth_getTransactionReceipt', [
      hash,
    ])
    return receipt.contractAddress.toLowerCase()
  }
}
