/**
 * Seeds that have found something, and what. They are lived in every run. A seed means the same only
 * as long as the story is told the same way; a case that lost its meaning is kept for its company.
 */
export const cases: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 25,
    found:
      'A node that was behind named no finalized block, so what was settled was taken back for good.',
  },
  {
    seed: 28,
    found:
      'An event named the transaction that was replaced, and its seal did not cover that name.',
  },
  {
    seed: 123,
    found: 'A block was final before it was deep enough, and nobody looked at its payment again.',
  },
  {
    seed: 7,
    found:
      'Of a payment made on two chains the first to be final was forgotten: it never became final.',
  },
  {
    seed: 66,
    found: 'Whose second provider had not been asked before a restart waited for it for ever.',
  },
  {
    seed: 433,
    found: 'Whose step was stored while its answer was lost waited for a second provider for ever.',
  },
  {
    seed: 122,
    found:
      'What failed in a block before a slow node told of it as pending stayed pending for ever.',
  },
  {
    seed: 111,
    found: 'The same, beside part of the money.',
  },
]
