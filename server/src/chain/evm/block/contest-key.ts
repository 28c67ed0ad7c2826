/** A sender's nonce, which at most one transaction ever uses: what EVM transactions contend for. */
export const contestKey = (sender: string, nonce: number): string => `${sender} ${nonce}`

/** What `contestKey` made the key of. */
export function nonceIn(key: string): { readonly sender: string; readonly nonce: number } {
  const [sender = '', nonce = ''] = key.split(' ')
  return { sender, nonce: Number(nonce) }
}
