import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, Failure } from '@settlewire/core/errors'
import { problemHeaders, problemOf } from '../problem.ts'

/** A refusal of bytes that Node could not parse as a request. */
interface RawRefusal {
  readonly code: ErrorCode
  readonly detail?: string
}

/** A valid request line but for its method: distinguishes an unknown method from non-HTTP bytes. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^ \r\n]+ HTTP\/1\.[01]\r?\n/

const refusals: Readonly<Record<string, RawRefusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'head_too_large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'body_too_large' },
  HPE_INVALID_CHUNK_SIZE: { code: 'malformed_body', detail: 'The body has an invalid chunk.' },
  HPE_INVALID_METHOD: { code: 'invalid_request', detail: 'This is not HTTP.' },
}
const noHttp: RawRefusal = { code: 'invalid_request', detail: 'This is not HTTP.' }

/** The failure for bytes that Node's parser refused. */
export function refusalOf(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): Failure {
  const { code = '', rawPacket } = error
  const isMethod = code === 'HPE_INVALID_METHOD' && rawPacket !== undefined
  if (isMethod && requestLine.test(rawPacket.toString('latin1'))) {
    return new Failure('method_not_allowed', 'Unknown HTTP method.')
  }
  const known = Object.hasOwn(refusals, code) ? refusals[code] : undefined
  const { code: ours, detail } = known ?? noHttp
  return new Failure(ours, detail)
}

/** All methods that any route supports. */
export const methodsAllowed = 'GET, HEAD, POST, OPTIONS'

/** The whole answer as raw HTTP, for a connection that closes after it. */
export function rawProblem(
  failure: Failure,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): string {
  const problem = problemOf(failure, requestId)
  const body = JSON.stringify(problem)
  const all = {
    ...headers,
    'request-id': requestId,
    ...problemHeaders(failure),
    ...(problem.status === 405 && { allow: methodsAllowed }),
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join('')}\r\n${body}`
}

/** Whether a refusal can still be written to the socket. */
export const canAnswer = (socket: Socket): boolean => socket.writable && !socket.destroyed
