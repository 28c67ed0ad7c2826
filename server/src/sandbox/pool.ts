import { z } from 'zod'
import type { Call } from './rpc.ts'

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

/** A transaction that waits to be mined, as the node shows it. Hex is as the node wrote it. */
export type Pooled = z.infer<typeof pooledForm>

/** Everything that waits to be mined and could be. */
export async function poolOf(call: Call): Promise<readonly Pooled[]> {
  const { pending } = contentForm.parse(await call('txpool_content'))
  return Object.values(pending).flatMap((byNonce) => Object.values(byNonce))
}

/** Whether a transaction names the address: as its receiver, or in what it calls. */
export const names = ({ to, input }: Pooled, address: string): boolean =>
  to?.toLowerCase() === address || input.toLowerCase().includes(address.slice(2))

/** The fees of a transaction that may take the place of this one: an eighth more, rounded up. */
export function outbid(pooled: Pooled): Record<'maxFeePerGas' | 'maxPriorityFeePerGas', string> {
  const { gasPrice = '0x0', maxFeePerGas = gasPrice, maxPriorityFeePerGas = maxFeePerGas } = pooled
  const more = (fee: string): string => `0x${((BigInt(fee) * 9n + 7n) / 8n).toString(16)}`
  return {
    maxFeePerGas: more(maxFeePerGas),
    maxPriorityFeePerGas: more(maxPriorityFeePerGas),
  }
}
