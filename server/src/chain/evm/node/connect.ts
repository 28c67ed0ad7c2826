import { Failure } from '@settlewire/core/errors'
import type { ProviderConfig } from '../../../chain-config.ts'
import type { ConnectParts, RpcWire } from './connection.ts'
import { RpcHttp } from './http.ts'
import { RpcSocket } from './socket.ts'

/** Opens a connection. Rejects with `chain_unavailable`; the error never contains the URL. */
export type Connect = (address: ProviderConfig, parts: ConnectParts) => Promise<RpcWire>

/** Chooses WebSocket or HTTP by the scheme of the URL. */
export const connectByUrl: Connect = async ({ url }, parts) => {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
  if (scheme === 'ws' || scheme === 'wss') return RpcSocket.connect(url, parts)
  if (scheme === 'http' || scheme === 'https') return RpcHttp.connect(url, parts)
  throw new Failure(
    'chain_unavailable',
    'The node URL must begin with ws://, wss://, http:// or https://.',
  )
}
