import { Failure } from '@settlewire/core/errors'

/**
 * Checks a PostgreSQL URL before `pg` parses it, because the error that `pg` throws contains the
 * URL with its password. Throws `invalid_config`, whose message does not.
 */
export function checkedUrl(url: string): string {
  const isUrl = URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)
  if (isUrl) return url
  throw new Failure('invalid_config', 'Invalid DATABASE_URL: it must have the form postgresql://….')
}
