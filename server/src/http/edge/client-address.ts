import { BlockList, isIP, isIPv4 } from 'node:net'

/** Longer chains of proxies do not exist; what is further to the left is not looked at. */
const hopsMax = 20

/** The networks whose `X-Forwarded-For` is believed. */
export class TrustedProxies {
  readonly #networks = new BlockList()

  /** Each as `10.0.0.0/8`. */
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
   * The client behind a proxy: the last address of the header that is no trusted proxy. Each proxy adds
   * its peer at the end, so everything to the left of that address may be invented by the client.
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

/** `1.2.3.4:5678` and `[2001:db8::1]:5678`, as some proxies write it. */
function withoutPort(hop: string): string {
  const [, v4, v6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(hop) ?? []
  return v4 ?? v6 ?? hop
}

/** Without the zone of a link-local address, and IPv4 as IPv4 where a socket for both shows it as IPv6. */
export function plainAddress(address: string): string {
  const [plain = ''] = address.split('%')
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(plain) ? plain.slice('::ffff:'.length) : plain
}

const ownMachine = new TrustedProxies(['127.0.0.0/8', '::1/128'])

/** Whether an address is of this machine itself. */
export const isOwnMachine = (address: string): boolean => ownMachine.has(address)

/** What is counted as one client: an IPv4 address, or the /64 that one IPv6 customer has at least. */
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
