import { Failure } from '@settlewire/core/errors'

/**
 * A PostgreSQL URL that `pg` can read. Parsed here first, because the error of whoever parses it
 * later holds the URL, password and all. Throws `invalid_config`, which does not.
 */
export function checkedUrl(url: string): string {
  const isUrl = URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)
  if (isUrl) return url
  throw new Failure('invalid_config', 'DATABASE_URL is not of the form postgresql://….')
}
