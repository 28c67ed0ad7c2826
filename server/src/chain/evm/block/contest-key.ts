/** EVM transactions contend for a sender's nonce: at most one transaction can ever use it. */
export const contestKey = (sender: string, nonce: number): string => `${sender} ${nonce}`

/** The sender and nonce in a key made by `contestKey`. */
export function nonceIn(key: string): { readonly sender: string; readonly nonce: number } {
  const [sender = '', nonce = ''] = key.split(' ')
  return { sender, nonce: Number(nonce) }
}
