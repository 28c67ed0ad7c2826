/**
 * The second line of defence: patterns of secrets in any text, and their replacements. The first
 * line is the list of fields that a log line may have (log.ts).
 */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/\b[srp]k_(?:test|live)_[A-Za-z0-9]+/g, '[key]'],
  [/\bpi_[0-9a-z]{26}_secret_[\w-]+/g, '[client secret]'],
  [/\/pay\/[^/\s]+\/[\w-]+/g, '/pay/[…]'],
  // Headers, in the notation of any program.
  [/\b(authorization|(?:set-)?cookie|idempotency-key|x-api-key)["']?\s*[:=]\s*[^\n]+/gi, '$1: […]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 […]'],
  [/\bsettlewire_checkout=[^;\s]*/g, 'settlewire_checkout=[…]'],
  // URLs of nodes and databases contain the key as user, path or query.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]*@/gi, '$1[…]@'],
  [/\b((?:ws|http)s?:\/\/[^/?#\s]+)[/?#][^\s"'<>)]+/gi, '$1/[…]'],
  [/\b[xtyzuv](?:prv|pub)[1-9A-HJ-NP-Za-km-z]{20,}/gi, '[extended key]'],
  [/\b(mnemonic["']?\s*[:=]?\s*)[a-z]+(?:\s+[a-z]+){2,}/gi, '$1[…]'],
  // Transaction ids of the identiPay profile, and typical idempotency keys.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '[uuid]'],
  // Transaction hashes, private keys, and hashes of API keys: each has at least 32 bytes.
  [/(?:0x|\\x)?[0-9a-f]{64,}/gi, '[hash]'],
  // Input that a parser or database quotes in its error: an answer, a value of a query.
  [/(?:\.\.\.)?"[^\n]*"(?:\.\.\.)?( is not valid JSON)/g, '"…"$1'],
  [/(invalid input (?:syntax|value) for [^:\n]+: )"[^\n]*"/g, '$1"…"'],
  [/\b(Key \([^)\n]*\))=\([^\n]*\)/g, '$1=(…)'],
]

const textMax = 2_000

/** Removes secrets from a text before it is logged. */
export function scrub(text: string): string {
  // Before the text is cut to its final length, because no pattern matches half a key.
  let clean = text.length > 4 * textMax ? text.slice(0, 4 * textMax) : text
  for (const [form, instead] of secretForms) clean = clean.replace(form, instead)
  return clean.length > textMax ? `${clean.slice(0, textMax)}…` : clean
}
