import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, Failure } from '@settlewire/core/errors'
import { problemHeaders, problemOf } from '../problem.ts'

/** A refusal before there is a request that could be answered. */
interface RawRefusal {
  readonly code: ErrorCode
  readonly detail?: string
}

/** A first line that is fine but for its method: told apart from what is no HTTP at all. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^ \r\n]+ HTTP\/1\.[01]\r?\n/

const refusals: Readonly<Record<string, RawRefusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'head_too_large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'body_too_large' },
  HPE_INVALID_CHUNK_SIZE: { code: 'malformed_body', detail: 'The chunks of the body are broken.' },
  HPE_INVALID_METHOD: { code: 'invalid_request', detail: 'This is not HTTP.' },
}
const noHttp: RawRefusal = { code: 'invalid_request', detail: 'This is not HTTP.' }

/** What is wrong with bytes that Node's parser refused. */
export function refusalOf(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): Failure {
  const { code = '', rawPacket } = error
  const isMethod = code === 'HPE_INVALID_METHOD' && rawPacket !== undefined
  if (isMethod && requestLine.test(rawPacket.toString('latin1'))) {
    return new Failure('method_not_allowed', 'This server does not know the method.')
  }
  const known = Object.hasOwn(refusals, code) ? refusals[code] : undefined
  const { code: ours, detail } = known ?? noHttp
  return new Failure(ours, detail)
}

/** The methods that some address here answers. */
export const methodsAllowed = 'GET, HEAD, POST, OPTIONS'

/** The whole answer as bytes go, for a connection that ends with it. */
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

/** Whether a refusal can still be written: nothing else was, and the other end is there. */
export const canAnswer = (socket: Socket): boolean => socket.writable && !socket.destroyed
