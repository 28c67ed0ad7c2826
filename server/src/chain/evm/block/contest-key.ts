/**
 * Sender and nonce: at most one transaction with this key can ever be mined, so EVM transactions
 * contend for it.
 */
export const contestKey = (sender: string, nonce: number): string => `${sender} ${nonce}`

/** The sender and nonce in a key made by `contestKey`. */
export function nonceIn(key: string): { readonly sender: string; readonly nonce: number } {
  const [sender = '', nonce = ''] = key.split(' ')
  return { sender, nonce: Number(nonce) }
}
