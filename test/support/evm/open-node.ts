/** One node over a real socket, for tests below the follower. */

import type { RpcConnection } from '../../../server/src/chain/evm/node/connection.ts'
import { defaultLimits } from '../../../server/src/chain/evm/node/limits.ts'
import { RequestLine } from '../../../server/src/chain/evm/node/line.ts'
import { EvmNode } from '../../../server/src/chain/evm/node/node.ts'
import { RpcSocket } from '../../../server/src/chain/evm/node/socket.ts'
import { systemClock } from '../../../server/src/clock.ts'

interface OpenNode {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly leave: () => void
}

export async function openNode(url: string): Promise<OpenNode> {
  const { signal } = new AbortController()
  const limits = { ...defaultLimits, answerWithinMs: 5_000 }
  const wire = await RpcSocket.connect(url, { clock: systemClock, limits, signal })
  const { now: socket } = new RequestLine({ clock: systemClock, limits }).over(wire)
  return { socket, node: new EvmNode(socket), leave: () => socket.drop('left') }
}
