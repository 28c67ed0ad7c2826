import type { Folded } from './event-check.ts'
import type { AuditFinding } from './finding.ts'
import { type AuditRow, instantOf, type SubjectTable, subjectTables } from './source.ts'

/** The rows of one subject. */
export type OwnRows = Readonly<Record<SubjectTable, readonly AuditRow[]>>

/** What the rows of a subject must be according to its events. */
export interface Expected extends Folded {
  readonly name: string
  readonly kind: string
  readonly sequence: number
  readonly seal: string
  /**
   * Whether the row has no deadline. This is accepted without a check, because no event records
   * when a watch ends.
   */
  readonly hasNoDeadline: boolean
}

/** Compares all rows of a subject with its events: reports differing, missing and extra rows. */
export function checkRows(rows: OwnRows, expected: Expected): readonly AuditFinding[] {
  const { name } = expected
  // OwnRows has exactly these keys.
  return (Object.keys(rows) as SubjectTable[]).flatMap((table) => {
    const is = rows[table].map((row) => shown[table](row))
    const pairs = paired(is, expectedRows[table](expected), subjectTables[table].order)
    return pairs.flatMap((pair) => {
      const what = difference(...pair)
      return what === null ? [] : [{ where: `row of ${table} of ${name}`, what }]
    })
  })
}

type RowPair = readonly [is: ShownCells | undefined, must: ShownCells | undefined]

/**
 * Pairs each expected row with the row of the same key. The rows that are left are paired in order:
 * so a changed key is one difference, not a missing and an unexpected row.
 */
function paired(
  is: readonly ShownCells[],
  must: readonly ShownCells[],
  key: readonly string[],
): readonly RowPair[] {
  const keyOf = (cells: ShownCells): string => JSON.stringify(key.map((column) => cells[column]))
  const byKey = Map.groupBy(is, keyOf)
  const same = must.map((cells) => byKey.get(keyOf(cells))?.shift())
  const left = [...byKey.values()].flat()
  const pairs = must.map((cells, n): RowPair => [same[n] ?? left.shift(), cells])
  return [...pairs, ...left.map((cells): RowPair => [cells, undefined])]
}

type ShownCells = Readonly<Record<string, string | number | boolean | null>>

function difference(is: ShownCells | undefined, must: ShownCells | undefined): string | null {
  if (is === undefined) return `a row is missing: ${JSON.stringify(must)}`
  if (must === undefined) return `unexpected row: ${JSON.stringify(is)}`
  const column = Object.keys(must).find((key) => is[key] !== must[key])
  if (column === undefined) return null
  return `${column} is ${JSON.stringify(is[column])}, its events say ${JSON.stringify(must[column])}`
}

/** A list as PostgreSQL prints it, if no item needs quotes. */
const listOf = (values: readonly string[]): string => `{${values.join(',')}}`
const cells = (row: AuditRow, ...columns: readonly string[]): Record<string, string | null> =>
  Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))

/** The columns that events determine, as they are stored. */
const shown: Readonly<Record<SubjectTable, (row: AuditRow) => ShownCells>> = {
  subject: (row) => ({
    ...cells(row, 'kind', 'merchant_id', 'livemode', 'reference', 'status', 'flags'),
    created_at: instantOf(row, 'created_at'),
    due_at: row.due_at === null ? null : instantOf(row, 'due_at'),
  }),
  subject_state: (row) => cells(row, 'sequence', 'head_seal', 'standing'),
  subject_address: (row) => cells(row, 'address', 'merchant_id'),
  transaction: (row) => cells(row, 'chain', 'tx_hash', 'block_number', 'paid', 'final', 'part'),
  inclusion: (row) =>
    cells(row, 'chain', 'tx_hash', 'block_hash', 'block_number', 'canonical', 'outcome'),
  transfer: (row) =>
    cells(
      row,
      'chain',
      'tx_hash',
      'n',
      'place',
      'token',
      'from_address',
      'to_address',
      'amount',
      'block_number',
      'stage',
      'counts',
    ),
}

const printed = (value: number | bigint | boolean | null): string | null =>
  typeof value === 'boolean' ? (value ? 't' : 'f') : value === null ? null : String(value)

/** The same columns, as the events determine them. */
const expectedRows: Readonly<Record<SubjectTable, (expected: Expected) => readonly ShownCells[]>> =
  {
    subject: ({ kind, identity, projection, hasNoDeadline }) => [
      {
        kind,
        merchant_id: identity.merchantId,
        livemode: printed(identity.livemode),
        reference: projection.reference,
        status: projection.status,
        flags: listOf(projection.flags),
        created_at: projection.createdAt,
        due_at: hasNoDeadline ? null : projection.dueAt,
      },
    ],
    subject_state: ({ sequence, seal, projection }) => [
      { sequence: String(sequence), head_seal: `\\x${seal}`, standing: projection.standing },
    ],
    subject_address: ({ identity, projection }) =>
      [...projection.addresses]
        .sort()
        .map((address) => ({ address, merchant_id: identity.merchantId })),
    transaction: ({ projection }) =>
      projection.transactions.map((row) => ({
        chain: row.chain,
        tx_hash: row.txHash,
        block_number: printed(row.number),
        paid: printed(row.paid),
        final: printed(row.final),
        part: row.part,
      })),
    inclusion: ({ projection }) =>
      projection.transactions.flatMap(({ chain, txHash, inclusions }) =>
        [...inclusions]
          .sort((a, b) => (a.blockHash < b.blockHash ? -1 : 1))
          .map((row) => ({
            chain,
            tx_hash: txHash,
            block_hash: row.blockHash,
            outcome: row.outcome,
            block_number: printed(row.blockNumber),
            canonical: printed(row.canonical),
          })),
      ),
    transfer: ({ projection }) =>
      projection.transactions.flatMap(({ chain, txHash, transfers }) =>
        transfers.map((row, n) => ({
          chain,
          tx_hash: txHash,
          n: printed(n),
          place: row.place,
          token: row.token,
          from_address: row.from,
          to_address: row.to,
          amount: printed(row.amount),
          block_number: printed(row.blockNumber),
          stage: row.stage,
          counts: printed(row.counts),
        })),
      ),
  }
