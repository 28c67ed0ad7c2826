/** The sandbox's test dollar on a test's own anvil, and calls of it signed by well-known keys. */
import { encodeDeployData, encodeFunctionData, getContractAddress, type Hex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import artifact from '../../../server/src/sandbox/artifacts/TestUSDC.json' with { type: 'json' }
import type { Anvil } from '../anvil.ts'

// The artifact is printed by the compiler and tested against its source.
const { abi, bytecode } = artifact as unknown as { abi: readonly unknown[]; bytecode: Hex }

const mnemonic = 'test test test test test test test test test test test junk'
/** The owner and holder of the token: anvil's first account. */
const owner = mnemonicToAccount(mnemonic)

const call = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi, functionName, args })

export class TestToken {
  readonly address: string
  readonly #anvil: Anvil

  private constructor(anvil: Anvil, address: string) {
    this.#anvil = anvil
    this.address = address
  }

  /** Deploys it and mints a large amount to the first account. Mines its own blocks. */
  static async deploy(anvil: Anvil): Promise<TestToken> {
    const data = encodeDeployData({ abi, bytecode })
    const nonce = await nonceOf(anvil)
    await anvil.rpc('eth_sendTransaction', [{ from: anvil.accounts[0], data, gas: '0x4c4b40' }])
    await anvil.rpc('anvil_mine', ['0x1'])
    const address = getContractAddress({ from: owner.address, nonce: BigInt(nonce) })
    const token = new TestToken(anvil, address.toLowerCase())
    await token.send(anvil.accounts[0], call('mint', [owner.address, 10n ** 30n]))
    await anvil.rpc('anvil_mine', ['0x1'])
    return token
  }

  transfer = (to: string, amount: bigint, from = this.#anvil.accounts[0]): Promise<string> =>
    this.send(from, call('transfer', [to, amount]))

  approve = (spender: string, amount: bigint): Promise<string> =>
    this.send(this.#anvil.accounts[0], call('approve', [spender, amount]))

  /** A `transferFrom` sent by the spender, from the first account. */
  transferFrom = (spender: string, to: string, amount: bigint): Promise<string> =>
    this.send(spender, call('transferFrom', [owner.address, to, amount]))

  /** The gas limit is given, so that a call that will revert is sent too. */
  send = (from: string | undefined, data: Hex): Promise<string> =>
    this.#anvil.rpc('eth_sendTransaction', [{ from, to: this.address, data, gas: '0x30d40' }])

  /** A signed transfer that can be broadcast again, as a wallet does after a reorg. */
  async signedTransfer(to: string, amount: bigint): Promise<Hex> {
    return owner.signTransaction({
      type: 'eip1559',
      chainId: this.#anvil.chainId,
      nonce: await nonceOf(this.#anvil),
      // viem derived it in `deploy`.
      to: this.address as Hex,
      data: call('transfer', [to, amount]),
      gas: 200_000n,
      maxFeePerGas: 10n ** 11n,
      maxPriorityFeePerGas: 10n ** 9n,
    })
  }

  /**
   * Pays twice in one transaction, without a `transfer` call in its envelope: the constructor of a
   * new contract calls the token twice, and spends tokens that it received before.
   */
  async payTwice(to: string, amount: bigint): Promise<string> {
    const from = this.#anvil.accounts[0]
    const nonce = await nonceOf(this.#anvil)
    const contract = getContractAddress({ from: owner.address, nonce: BigInt(nonce + 1) })
    await this.transfer(contract, amount * 2n)
    const callOnce = `6000600060446000600073${this.address.slice(2)}5af150`
    const data = `0x6044604c600039${callOnce}${callOnce}00${call('transfer', [to, amount]).slice(2)}`
    return this.#anvil.rpc('eth_sendTransaction', [{ from, data, gas: '0x7a120' }])
  }
}

const nonceOf = async (anvil: Anvil): Promise<number> =>
  Number(await anvil.rpc<string>('eth_getTransactionCount', [owner.address, 'pending']))
