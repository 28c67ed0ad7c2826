/** One node over a real socket, for what is tested below a follower. */
import { defaultLimits } from '../../../server/src/chain/evm/limits.ts'
import { EvmNode } from '../../../server/src/chain/evm/node.ts'
import { RpcSocket } from '../../../server/src/chain/evm/socket.ts'
import { systemClock } from '../../../server/src/clock.ts'

interface OpenNode {
  readonly socket: RpcSocket
  readonly node: EvmNode
  readonly leave: () => void
}

export async function openNode(url: string): Promise<OpenNode> {
  const { signal } = new AbortController()
  const limits = { ...defaultLimits, answerWithinMs: 5_000 }
  const socket = await RpcSocket.connect(url, { clock: systemClock, limits, signal })
  return { socket, node: new EvmNode(socket), leave: () => socket.drop('left') }
}
