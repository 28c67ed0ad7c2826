import { keccak256 } from '../../../evm-address.ts'

/** One item of a bloom filter: the hex digits of the filter to check, and the bit in each. */
type BloomProbe = readonly { readonly digit: number; readonly bit: number }[]

const bloomForm = /^0x[0-9a-fA-F]{512}$/

/**
 * Tests whether a block with this bloom filter may hold a log of one of these contracts under this
 * topic. `false` is certain and saves the query; `true` is not. A missing or malformed filter
 * excludes nothing.
 */
export function bloomTest(
  contracts: readonly string[],
  topic: string,
): (logsBloom: unknown) => boolean {
  const topicProbe = probeOf(topic)
  const contractProbes = contracts.map(probeOf)
  return (logsBloom) => {
    if (typeof logsBloom !== 'string' || !bloomForm.test(logsBloom)) return contracts.length > 0
    return (
      holds(logsBloom, topicProbe) && contractProbes.some((contract) => holds(logsBloom, contract))
    )
  }
}

const holds = (bloom: string, probe: BloomProbe): boolean =>
  probe.every(({ digit, bit }) => (Number.parseInt(bloom.charAt(digit), 16) & bit) !== 0)

/**
 * The yellow paper's M3:2048 for an address or a topic in hex: three bits, each taken from the low
 * 11 bits of a pair of hash bytes.
 */
function probeOf(item: string): BloomProbe {
  const hash = keccak256(Buffer.from(item.slice(2), 'hex'))
  return [0, 2, 4].map((at) => {
    const position = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047
    // Bit 0 is the last bit of the last digit; the two characters "0x" come first.
    return { digit: 2 + 511 - (position >> 2), bit: 1 << (position & 3) }
  })
}
