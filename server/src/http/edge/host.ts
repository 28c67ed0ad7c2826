import type { IncomingMessage } from 'node:http'
import { Failure } from '@settlewire/core/errors'

/** A name, an IPv4 address or an IPv6 address in brackets, each with or without a port (RFC 3986). */
const hostForm =
  /^(?:[\w.~!$&'()*+;=-]|%[\da-f]{2})*(?::\d{0,5})?$|^\[[\da-f:.]{2,45}\](?::\d{0,5})?$/i

/**
 * Refuses a request without exactly one valid Host header (RFC 9112, section 3.2), because a proxy
 * could read another one of them than we do. HTTP/1.0 needs none. Null if the request is valid.
 */
export function hostFailure({ headers, rawHeaders, httpVersion }: IncomingMessage): Failure | null {
  const { host } = headers
  if (host === undefined) {
    return httpVersion === '1.0' ? null : refused('The request has no Host header.')
  }
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') count++
  }
  if (count > 1) return refused('The request has more than one Host header.')
  return hostForm.test(host) ? null : refused('The Host header is not a host name with a port.')
}

const refused = (detail: string): Failure => new Failure('invalid_request', detail)
