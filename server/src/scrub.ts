/**
 * The second line of defence: what gives a secret away inside any text, and what stands there
 * instead. The first is the list of fields that a log line may have (log.ts).
 */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/\b[srp]k_(?:test|live)_[A-Za-z0-9]+/g, '[key]'],
  [/\bpi_[0-9a-z]{26}_secret_[\w-]+/g, '[client secret]'],
  [/\/pay\/[^/\s]+\/[\w-]+/g, '/pay/[…]'],
  // Headers, as any program writes them.
  [/\b(authorization|(?:set-)?cookie|idempotency-key|x-api-key)["']?\s*[:=]\s*[^\n]+/gi, '$1: […]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 […]'],
  [/\bsettlewire_checkout=[^;\s]*/g, 'settlewire_checkout=[…]'],
  // Nodes and databases are asked under addresses whose user, path or query is the key.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]*@/gi, '$1[…]@'],
  [/\b((?:ws|http)s?:\/\/[^/?#\s]+)[/?#][^\s"'<>)]+/gi, '$1/[…]'],
  [/\b[xtyzuv](?:prv|pub)[1-9A-HJ-NP-Za-km-z]{20,}/gi, '[extended key]'],
  [/\b(mnemonic["']?\s*[:=]?\s*)[a-z]+(?:\s+[a-z]+){2,}/gi, '$1[…]'],
  // Transaction ids of the profile, and idempotency keys as most programs make them.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '[uuid]'],
  // Hashes of transactions, private keys, and what is stored of keys: each is 32 bytes at least.
  [/(?:0x|\\x)?[0-9a-f]{64,}/gi, '[hash]'],
  // What a parser or a database quotes of what it was given: an answer, a value of a query.
  [/(?:\.\.\.)?"[^\n]*"(?:\.\.\.)?( is not valid JSON)/g, '"…"$1'],
  [/(invalid input (?:syntax|value) for [^:\n]+: )"[^\n]*"/g, '$1"…"'],
  [/\b(Key \([^)\n]*\))=\([^\n]*\)/g, '$1=(…)'],
]

const textMax = 2_000

/** Takes out what must not be read by those who read logs. */
export function scrub(text: string): string {
  // Before it is cut: half a key is not known as one.
  let clean = text.length > 4 * textMax ? text.slice(0, 4 * textMax) : text
  for (const [form, instead] of secretForms) clean = clean.replace(form, instead)
  return clean.length > textMax ? `${clean.slice(0, textMax)}…` : clean
}
