import { isIP } from 'node:net'

/**
 * Whether the Host header is a name of this machine. Another site can point its own name to this
 * machine (DNS rebinding) and could then read and use pages that are only for users of this
 * machine.
 */
export function isOwnHost(host: string | undefined, origin: string): boolean {
  // Browsers always send Host. Other programs are not affected by pages of other sites.
  if (host === undefined) return true
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  return isLocal || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === nameOf(origin)
}

const nameOf = (origin: string): string => new URL(origin).hostname
