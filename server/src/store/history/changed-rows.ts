import type { Projection, TransactionRow } from '@settlewire/core/history/subject-kind'

/** The rows of a subject as they were last written. */
export interface WrittenRows {
  /** Status, flags and deadline as one text. */
  readonly stateText: string
  /** Keyed by chain and hash. */
  readonly transactions: ReadonlyMap<string, TransactionRow>
}

const none: WrittenRows['transactions'] = new Map()

const rowKey = ({ chain, txHash }: TransactionRow): string => `${chain} ${txHash}`

/** The rows of a projection by chain and hash, to compare them with the next projection. */
export const rowsOf = ({ transactions }: Projection): WrittenRows['transactions'] =>
  transactions.length === 0 ? none : new Map(transactions.map((row) => [rowKey(row), row]))

/** A transaction that differs from its last written row, and the parts to write again. */
export interface Changed {
  readonly row: TransactionRow
  readonly inclusions: TransactionRow['inclusions']
  readonly transfers: TransactionRow['transfers']
  /**
   * Stored transfers from this index on, if any, must be deleted; null if none can be stored there.
   */
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
    const before = written?.transactions.get(rowKey(row))
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

const isSame = (row: TransactionRow, before: TransactionRow): boolean =>
  row.number === before.number &&
  row.paid === before.paid &&
  row.final === before.final &&
  row.part === before.part

/** Unchanged lists are usually the same array as before, so their texts are seldom compared. */
const areSame = (rows: readonly object[], before: readonly object[]): boolean =>
  rows === before || textOf(rows) === textOf(before)

const textOf = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
