import type { Projection, TransactionRow } from '@settlewire/core/subject-kind'

/** The rows of a subject as they were last written. */
export interface Written {
  /** What it is found by. */
  readonly standing: string
  /** By chain and hash. */
  readonly transactions: ReadonlyMap<string, TransactionRow>
}

const none: Written['transactions'] = new Map()

const nameOf = ({ chain, txHash }: TransactionRow): string => `${chain} ${txHash}`

/** By which they are found when they are written again. */
export const rowsOf = ({ transactions }: Projection): Written['transactions'] =>
  transactions.length === 0 ? none : new Map(transactions.map((row) => [nameOf(row), row]))

/** The transactions of which something is not as it was written; all where that is not known. */
export const changedIn = (
  { transactions }: Projection,
  written: Written | null,
): readonly TransactionRow[] =>
  transactions.filter((row) => {
    const before = written?.transactions.get(nameOf(row))
    return before === undefined || !isSame(row, before)
  })

/** Most rows are the objects they were, or hold them, so this seldom reads a text. */
const isSame = (row: TransactionRow, before: TransactionRow): boolean =>
  row.number === before.number &&
  row.paid === before.paid &&
  row.final === before.final &&
  row.part === before.part &&
  areSame(row.inclusions, before.inclusions) &&
  areSame(row.transfers, before.transfers)

const areSame = (rows: readonly object[], before: readonly object[]): boolean =>
  rows === before || textOf(rows) === textOf(before)

const textOf = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
