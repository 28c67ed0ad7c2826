import { isIP } from 'node:net'

/**
 * Whether a browser asked for this machine by a name of its own. A page of another site can have its
 * name lead here (DNS rebinding), and would then read and press what only this machine's people may.
 */
export function isOwnHost(host: string | undefined, origin: string): boolean {
  // Browsers always say. What is no browser has no page of another site in it.
  if (host === undefined) return true
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  return isLocal || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === nameOf(origin)
}

const nameOf = (origin: string): string => new URL(origin).hostname
