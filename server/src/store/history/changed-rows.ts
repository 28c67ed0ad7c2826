import type { Projection, TransactionRow } from '@settlewire/core/history/subject-kind'

/** The rows of a subject as they were last written. */
export interface WrittenRows {
  /** Status, flags and deadline as one text. */
  readonly standing: string
  /** Keyed by chain and hash. */
  readonly transactions: ReadonlyMap<string, TransactionRow>
}

const none: WrittenRows['transactions'] = new Map()

const nameOf = ({ chain, txHash }: TransactionRow): string => `${chain} ${txHash}`

/** The rows of a projection by name, to compare them with the next projection. */
export const rowsOf = ({ transactions }: Projection): WrittenRows['transactions'] =>
  transactions.length === 0 ? none : new Map(transactions.map((row) => [nameOf(row), row]))

/** A transaction that differs from its last written row, and the parts to write again. */
export interface Changed {
  readonly row: TransactionRow
  readonly inclusions: TransactionRow['inclusions']
  readonly transfers: TransactionRow['transfers']
  /** The number of its transfers if there may have been more before; else null. */
  readonly transfersLeft: number | null
  /** Whether no row of it was ever written. False if that is not known. */
  readonly isNew: boolean
}

/** The transactions that differ from their last written rows; all if those are not known. */
export const changedIn = (
  { transactions }: Projection,
  written: WrittenRows | null,
): readonly Changed[] =>
  transactions.flatMap((row) => {
    const { inclusions, transfers } = row
    const before = written?.transactions.get(nameOf(row))
    if (before === undefined) {
      // If the subject's rows are known, a transaction that is not among them is new.
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

/** Most rows are the same objects as before or share parts, so texts are seldom compared. */
const isSame = (row: TransactionRow, before: TransactionRow): boolean =>
  row.number === before.number &&
  row.paid === before.paid &&
  row.final === before.final &&
  row.part === before.part

const areSame = (rows: readonly object[], before: readonly object[]): boolean =>
  rows === before || textOf(rows) === textOf(before)

const textOf = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
