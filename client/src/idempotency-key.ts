/**
 * A key for one request. `crypto.randomUUID` exists on secure pages only, not in a shop on a local
 * network.
 */
export function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
