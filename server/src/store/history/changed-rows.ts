import type { Projection, TransactionRow } from '@settlewire/core/history/subject-kind'

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

/** A transaction that is not as it was written, and what of it has to be written again. */
export interface Changed {
  readonly row: TransactionRow
  readonly inclusions: TransactionRow['inclusions']
  readonly transfers: TransactionRow['transfers']
  /** How many transfers it has, where it may have had more; else null. */
  readonly transfersLeft: number | null
  /** Whether no row of it was ever written. False where that is not known. */
  readonly isNew: boolean
}

/** The transactions of which something is not as it was written; all where that is not known. */
export const changedIn = (
  { transactions }: Projection,
  written: Written | null,
): readonly Changed[] =>
  transactions.flatMap((row) => {
    const { inclusions, transfers } = row
    const before = written?.transactions.get(nameOf(row))
    if (before === undefined) {
      // Where the subject is known, an unknown transaction is a new one.
      const isNew = written !== null
      return [{ row, inclusions, transfers, transfersLeft: isNew ? null : transfers.length, isNew }]
    }
    const keptInclusions = areSame(inclusions, before.inclusions)
    const keptTransfers = areSame(transfers, before.transfers)
    if (keptInclusions && keptTransfers && isSame(row, before)) return []
    return [
      {
        row,
        inclusions: keptInclusions ? [] : inclusions,
        transfers: keptTransfers ? [] : transfers,
        transfersLeft: before.transfers.length > transfers.length ? transfers.length : null,
        isNew: false,
      },
    ]
  })

/** Most rows are the objects they were, or hold them, so this seldom reads a text. */
const isSame = (row: TransactionRow, before: TransactionRow): boolean =>
  row.number === before.number &&
  row.paid === before.paid &&
  row.final === before.final &&
  row.part === before.part

const areSame = (rows: readonly object[], before: readonly object[]): boolean =>
  rows === before || textOf(rows) === textOf(before)

const textOf = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
