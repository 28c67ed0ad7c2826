import { z } from 'zod'
import type { RpcCall } from './rpc.ts'

const hex = z.string().regex(/^0x[0-9a-f]*$/i)
const pooledForm = z.object({
  hash: hex,
  from: hex,
  to: hex.nullable(),
  input: hex,
  value: hex,
  nonce: hex,
  gas: hex,
  gasPrice: hex.optional(),
  maxFeePerGas: hex.optional(),
  maxPriorityFeePerGas: hex.optional(),
})
const contentForm = z.object({
  pending: z.record(z.string(), z.record(z.string(), pooledForm)),
})

/** A pending transaction as the node reports it, with unchanged hex. */
export type Pooled = z.infer<typeof pooledForm>

/** All pending transactions that can be mined. */
export async function poolOf(call: RpcCall): Promise<readonly Pooled[]> {
  const { pending } = contentForm.parse(await call('txpool_content'))
  return Object.values(pending).flatMap((byNonce) => Object.values(byNonce))
}

/** Whether a transaction contains the address, as its receiver or in its calldata. */
export const names = ({ to, input }: Pooled, address: string): boolean =>
  to?.toLowerCase() === address || input.toLowerCase().includes(address.slice(2))

/** The fees of a transaction that may replace this one: an eighth more, rounded up. */
export function outbid(pooled: Pooled): Record<'maxFeePerGas' | 'maxPriorityFeePerGas', string> {
  const { gasPrice = '0x0', maxFeePerGas = gasPrice, maxPriorityFeePerGas = maxFeePerGas } = pooled
  const more = (fee: string): string => `0x${((BigInt(fee) * 9n + 7n) / 8n).toString(16)}`
  return {
    maxFeePerGas: more(maxFeePerGas),
    maxPriorityFeePerGas: more(maxPriorityFeePerGas),
  }
}
