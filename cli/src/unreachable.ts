import { RequestError } from '@settlewire/client/request-error'

/** Errors of the system with which no part of a request reached a server, with what they mean. */
const unsent: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at',
  ENOTFOUND: 'Unknown host:',
  EAI_AGAIN: 'Unknown host:',
}

/** Whether a request certainly reached no server, so that it cannot have been executed. */
export const wasNotSent = (error: unknown): boolean => unsentBecause(error) !== null

/** An error without a response, with the address that was tried in its message. */
export function withAddress(error: unknown, address: string): unknown {
  if (!(error instanceof RequestError) || error.code !== 'unreachable') return error
  const what = unsentBecause(error) ?? 'No response from'
  const detail = `${what} ${address}.`
  return new RequestError({ code: error.code, status: error.status, detail }, error.cause)
}

function unsentBecause(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const code = 'code' in error ? String(error.code) : ''
  return unsent[code] ?? unsentBecause(error.cause)
}
