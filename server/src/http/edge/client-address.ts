import { BlockList, isIP, isIPv4 } from 'node:net'

/** At most 20 hops of a header are read, from the right: no real chain of proxies is longer. */
const hopsMax = 20

/** A set of IP networks. */
export class Networks {
  readonly #networks = new BlockList()

  /** Each network as `10.0.0.0/8`. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits = ''] = network.split('/')
      this.#networks.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6')
    }
  }

  has(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  /**
   * The client behind a peer, if proxies in these networks are trusted. Walks the header from the
   * right while the address reached so far is a trusted proxy, and stops at an invalid hop. An
   * untrusted peer is the client itself. Each proxy appends its peer, so the client may have
   * invented everything to the left.
   */
  clientBehind(peer: string, forwardedFor: string | undefined): string {
    let client = peer
    const hops = forwardedFor?.split(',').slice(-hopsMax).reverse() ?? []
    for (const hop of hops) {
      const address = plainAddress(withoutPort(hop.trim()))
      if (!this.has(client) || isIP(address) === 0) break
      client = address
    }
    return client
  }
}

/** Some proxies append the port: `1.2.3.4:5678`, `[2001:db8::1]:5678`. */
function withoutPort(hop: string): string {
  const [, v4, v6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(hop) ?? []
  return v4 ?? v6 ?? hop
}

/**
 * Removes the zone of a link-local address, and the IPv6 prefix that dual-stack sockets give IPv4.
 */
export function plainAddress(address: string): string {
  const [plain = ''] = address.split('%')
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(plain) ? plain.slice('::ffff:'.length) : plain
}

const loopback = new Networks(['127.0.0.0/8', '::1/128'])

/** Whether this is a loopback address. */
export const isLoopback = (address: string): boolean => loopback.has(address)

/**
 * What counts as one client: an IPv4 address, or an IPv6 /64, the smallest block that providers
 * assign to a customer.
 */
export function clientOf(address: string): string {
  if (!address.includes(':')) return address
  const [left = '', right] = address.split('::')
  const before = left === '' ? [] : left.split(':')
  const after = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? 0 : 8 - before.length - after.length
  const parts = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return `${parts
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')}::/64`
}
