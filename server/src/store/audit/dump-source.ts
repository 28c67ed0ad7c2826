import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  type ReadStream,
  type WriteStream,
} from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure } from '@settlewire/core/errors'
import { headerOf, rowOf } from './copy-text.ts'
import {
  type AuditPage,
  type AuditRow,
  type AuditScope,
  type AuditSource,
  emptyRows,
  isEverybody,
  isWithin,
  type KeptPolicy,
  policyOf,
  type SubjectTable,
  subjectTables,
  textOf,
} from './source.ts'

/** A dump is split into parts of about this size, each small enough to be sorted in memory. */
const partBytes = 64 * 2 ** 20
const partsMax = 512

/** For each table, the column that names the subject of a row. */
const owners: Readonly<Record<string, string>> = {
  event: 'subject_id',
  ...Object.fromEntries(Object.entries(subjectTables).map(([table, { owner }]) => [table, owner])),
}

/**
 * Reads the history from a plain-text dump (`pg_dump`, or `pg_dump --data-only`), without a server.
 * A dump lists rows by table, so they are first distributed by subject over temporary files, which
 * are then read one at a time. The files have no name any more once they are open, so the history
 * does not stay in the temporary directory, however the process ends.
 */
export class DumpSource implements AuditSource {
  /** The descriptors of the files. */
  readonly #parts: readonly number[]
  readonly #policies: KeptPolicy[] = []
  readonly #feeds: AuditRow[] = []
  #events = 0

  private constructor(parts: readonly number[]) {
    this.#parts = parts
  }

  /**
   * Throws `invalid_request` for a file that is not a plain-text dump of a history. The temporary
   * files are made in `directory`.
   */
  static async open(path: string, directory = tmpdir()): Promise<DumpSource> {
    const { size } = await stat(path).catch((error: unknown) => {
      throw new Failure('invalid_request', `File not found: ${path}`, { cause: error })
    })
    const count = Math.min(partsMax, Math.max(1, Math.ceil(size / partBytes)))
    const source = new DumpSource(await namelessFiles(count, directory))
    try {
      await source.#deal(path)
    } catch (error) {
      await source.close()
      throw error
    }
    return source
  }

  async policies(): Promise<readonly KeptPolicy[]> {
    return this.#policies
  }

  async *pages(scope: AuditScope): AsyncIterable<AuditPage> {
    for (const part of this.#parts) {
      const page = await this.#page(part, scope)
      if (page.ids.length > 0) yield page
    }
  }

  async feeds(scope: AuditScope): Promise<readonly AuditRow[]> {
    return this.#feeds.filter((row) => isWithin(row, scope))
  }

  async close(): Promise<void> {
    for (const part of this.#parts) closeSync(part)
  }

  /** Writes every row into the part of its subject. */
  async #deal(path: string): Promise<void> {
    const streams = this.#parts.map((part) => createWriteStream('', { fd: part, autoClose: false }))
    let at: ReturnType<typeof headerOf> = null
    for await (const line of linesOf(createReadStream(path))) {
      if (at === null) at = headerOf(line)
      else if (line === '\\.') at = null
      else await this.#take(line, at, streams)
    }
    await Promise.all(streams.map(ended))
    if (this.#events === 0 && this.#feeds.length === 0) {
      throw new Failure(
        'invalid_request',
        `No history found in ${path}. Use a plain-text dump (pg_dump --format=plain).`,
      )
    }
  }

  async #take(
    line: string,
    { table, columns }: NonNullable<ReturnType<typeof headerOf>>,
    streams: readonly WriteStream[],
  ): Promise<void> {
    const owner = owners[table]
    if (owner === undefined) {
      if (table === 'policy') this.#policies.push(policyOf(rowOf(line, columns)))
      if (table === 'merchant_feed') this.#feeds.push(rowOf(line, columns))
      return
    }
    const row = rowOf(line, columns)
    if (table === 'event') this.#events += 1
    const stream = streams[partOf(textOf(row, owner), streams.length)]
    if (stream?.write(`${JSON.stringify([table, row])}\n`) === false) {
      await new Promise<void>((resolve) => stream.once('drain', () => resolve()))
    }
  }

  async #page(part: number, scope: AuditScope): Promise<AuditPage> {
    const events: AuditRow[] = []
    const rows = emptyRows()
    const written = createReadStream('', { fd: part, start: 0, autoClose: false })
    for await (const line of linesOf(written)) {
      // As `#take` wrote it.
      const [table, row] = JSON.parse(line) as [SubjectTable | 'event', AuditRow]
      if (table === 'event') events.push(row)
      else rows[table].push(row)
    }
    const ids = idsIn(events, rows, scope)
    const known = new Set(ids)
    const own = events.filter((row) => known.has(textOf(row, 'subject_id'))).sort(bySequence)
    for (const [table, { owner, order }] of Object.entries(subjectTables)) {
      const list = rows[table as SubjectTable] // a key of the constant
      rows[table as SubjectTable] = list
        .filter((row) => known.has(textOf(row, owner)))
        .sort(by(order))
    }
    return { ids, events: () => runsOf(own), rows }
  }
}

/** Opens files that have no name: the system frees them when they are closed. */
async function namelessFiles(count: number, within: string): Promise<readonly number[]> {
  const directory = await mkdtemp(join(within, 'settlewire-audit-'))
  const files: number[] = []
  try {
    while (files.length < count) {
      files.push(openSync(join(directory, `part-${files.length}`), 'w+'))
    }
  } catch (error) {
    for (const file of files) closeSync(file)
    throw error
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return files
}

function linesOf(input: ReadStream): AsyncIterable<string> {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

const ended = (stream: WriteStream): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.end(() => resolve())
  })

/** Spreads ids evenly; the same id always goes into the same part. */
function partOf(id: string, count: number): number {
  let sum = 7
  for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) >>> 0
  return sum % count
}

/**
 * Every id that has an event or a row, sorted. In a scope: the ids whose row of `subject` or first
 * event belongs to that scope.
 */
function idsIn(
  events: readonly AuditRow[],
  rows: Readonly<Record<SubjectTable, readonly AuditRow[]>>,
  scope: AuditScope,
): readonly string[] {
  const isAll = isEverybody(scope)
  const ids = new Set<string>()
  for (const row of rows.subject) if (isWithin(row, scope)) ids.add(textOf(row, 'id'))
  for (const row of events) {
    if (isAll || (row.sequence === '1' && isWithin(row, scope))) ids.add(textOf(row, 'subject_id'))
  }
  for (const [table, { owner }] of isAll ? Object.entries(subjectTables) : []) {
    // A key of the constant.
    for (const row of rows[table as SubjectTable]) ids.add(textOf(row, owner))
  }
  return [...ids].sort()
}

const bySequence = (a: AuditRow, b: AuditRow): number => {
  const [one, other] = [textOf(a, 'subject_id'), textOf(b, 'subject_id')]
  if (one !== other) return one < other ? -1 : 1
  return Number(a.sequence) - Number(b.sequence)
}

/** Compares the column `n` as a number and all others as texts. */
const by =
  (columns: readonly string[]) =>
  (a: AuditRow, b: AuditRow): number => {
    for (const column of columns) {
      const [one, other] = [a[column] ?? '', b[column] ?? '']
      if (one === other) continue
      if (column === 'n') return Number(one) - Number(other)
      return one < other ? -1 : 1
    }
    return 0
  }

async function* runsOf(events: readonly AuditRow[]): AsyncIterable<readonly AuditRow[]> {
  yield events
}
