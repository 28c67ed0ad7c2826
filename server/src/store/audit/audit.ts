import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { PolicyOf } from '@settlewire/core/payment/fold'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import { EventCheck, type EventCheckParts, type Foldings, foldingOf } from './event-check.ts'
import { FeedCheck } from './feed-check.ts'
import { type AuditFinding, subjectName } from './finding.ts'
import { checkRows, type OwnRows } from './row-check.ts'
import {
  type AuditPage,
  type AuditRow,
  type AuditScope,
  type AuditSource,
  emptyRows,
  type KeptPolicy,
  type SubjectTable,
  subjectTables,
  textOf,
} from './source.ts'

/** The result of an audit. */
export interface Report {
  readonly subjects: number
  readonly events: number
  readonly feeds: number
  /**
   * In the order of the walk: policies, then subjects (page by page) by id and sequence, then
   * feeds. Limited to `findingsMax`.
   */
  readonly findings: readonly AuditFinding[]
  /** The number of all findings, including those that `findings` leaves out. */
  readonly found: number
}

export interface AuditOptions {
  readonly source: AuditSource
  readonly scope: AuditScope
  /** Rules that are part of the program and that no database stores. */
  readonly builtIn: readonly Policy[]
  readonly kinds?: Foldings
  /** Whether the rules differ from what their version name stands for. Left out: not checked. */
  readonly isMisnamed?: (policy: Policy) => boolean
}

/** The kinds of subjects that this program can fold. */
export const ownKinds: Foldings = new Map([[paymentKind.name, foldingOf(paymentKind)]])

const findingsMax = 20

/**
 * Walks a history and checks it against itself: seals, sequences and positions of the events, and
 * every row that can be derived from them. It reads in pages and writes nothing.
 */
export async function audit(options: AuditOptions): Promise<Report> {
  const { source, scope, kinds = ownKinds } = options
  const findings: AuditFinding[] = []
  const counts = { subjects: 0, events: 0, found: 0 }
  const find = (finding: AuditFinding): void => {
    counts.found += 1
    if (findings.length < findingsMax) findings.push(finding)
  }
  const feeds = new FeedCheck(find)
  const kept = await source.policies()
  for (const finding of checkPolicies(kept, options)) find(finding)
  const policyOf = policiesOf([...options.builtIn, ...kept.map(({ policy }) => policy)])
  const parts: EventCheckParts = { kinds, policyOf, find, place: (row) => feeds.place(row) }
  for await (const page of source.pages(scope)) {
    const { events, subjects } = await checkPage(page, parts)
    counts.subjects += subjects
    counts.events += events
  }
  feeds.end(await source.feeds(scope))
  return { ...counts, feeds: feeds.size, findings }
}

function policiesOf(policies: readonly Policy[]): PolicyOf {
  const known = new Map(policies.map((policy) => [policy.version, policy]))
  return (version) => {
    const policy = known.get(version)
    if (policy === undefined) throw new TypeError(`unknown policy ${version}`)
    return policy
  }
}

/** Checks that each policy is stored under its own version and has the rules of that version. */
function checkPolicies(
  kept: readonly KeptPolicy[],
  { builtIn, isMisnamed }: Pick<AuditOptions, 'builtIn' | 'isMisnamed'>,
): readonly AuditFinding[] {
  return kept.flatMap(({ version, policy }) => {
    const own = builtIn.find((one) => one.version === version)
    const isOther = own !== undefined && canonicalJson(own) !== canonicalJson(policy)
    const where = `policy ${version}`
    if (policy.version !== version)
      return [{ where, what: `its body belongs to ${policy.version}` }]
    if (isOther || isMisnamed?.(policy) === true)
      return [{ where, what: 'its rules differ from those of this version' }]
    return []
  })
}

/** Returns the number of events in the page, and of the subjects that they belong to. */
async function checkPage(
  page: AuditPage,
  parts: EventCheckParts,
): Promise<{ readonly events: number; readonly subjects: number }> {
  const owned = byOwner(page)
  const left = new Set(page.ids)
  let check: EventCheck | null = null
  let events = 0
  let subjects = page.ids.length
  const end = (): void => {
    if (check !== null) checkSubject(check, owned.get(check.id) ?? noRows, parts)
  }
  for await (const run of page.events()) {
    events += run.length
    for (const row of run) {
      const id = textOf(row, 'subject_id')
      if (check?.id !== id) {
        end()
        check = new EventCheck(row, parts)
        if (!left.delete(id)) subjects += 1
      }
      check.add(row)
    }
  }
  end()
  for (const id of left) {
    const where = subjectName(owned.get(id)?.subject[0]?.kind, id)
    parts.find({ where, what: 'it has rows but no events' })
  }
  return { events, subjects }
}

function checkSubject(check: EventCheck, rows: OwnRows, { find }: EventCheckParts): void {
  const head = rows.subject_state[0]
  // This check comes first: missing events at the end also make all the rows below differ.
  if (head !== undefined && Number(head.sequence) > check.sequence) {
    const what = `event ${check.sequence + 1} of the subject is missing after this event`
    find({ where: check.lastName, what })
  }
  const folded = check.end()
  if (folded === null) return
  const { kind, sequence, seal } = check
  const name = subjectName(kind, check.id)
  const hasNoDeadline = rows.subject[0]?.due_at === null
  const expected = { ...folded, name, kind, sequence, seal, hasNoDeadline }
  for (const finding of checkRows(rows, expected)) find(finding)
}

const tables = Object.keys(subjectTables) as SubjectTable[] // the keys of a constant

const noRows: OwnRows = emptyRows()

function byOwner({ rows }: AuditPage): ReadonlyMap<string, OwnRows> {
  const owned = new Map<string, Record<SubjectTable, AuditRow[]>>()
  for (const table of tables) {
    for (const row of rows[table]) {
      const id = textOf(row, subjectTables[table].owner)
      let own = owned.get(id)
      if (own === undefined) {
        own = emptyRows()
        owned.set(id, own)
      }
      own[table].push(row)
    }
  }
  return owned
}
