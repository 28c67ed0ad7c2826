import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LeaseLine, LeaseTable } from '../../../../test/support/lease-table.ts'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { silentLog } from '../../log.ts'
import type { Bulletin, Fence, Leases, SightRecord, SightUpdate } from '../../ports/processes.ts'
import { Membership } from './membership.ts'

let clock: ManualClock
let table: LeaseTable
let board: Map<string, SightUpdate & { readonly revision: number; readonly at: number }>
const members: Member[] = []
beforeEach(() => {
  clock = new ManualClock()
  table = new LeaseTable(clock)
  board = new Map()
})
afterEach(async () => {
  for (const member of members.splice(0)) await member.membership.close()
})

/** A process on the shared lease table, and its actions in order. */
class Member {
  readonly leases = new LeaseLine(table, clock)
  readonly did: string[] = []
  /** While true, `lead` fails. */
  isBroken = false
  /** While set, the follower does not stop. */
  holdsStop: Promise<void> | null = null
  readonly membership: Membership

  constructor(place: string) {
    const { did } = this
    const engine = {
      news: { read: async () => undefined, release: async () => undefined },
      keepTime: ({ token }: Fence) => void did.push(`keeps time ${token}`),
      restTime: async () => void did.push('rests'),
      watcher: {
        standBy: (chain: string) => void did.push(`stands by ${chain}`),
        lead: async (chain: string, { token }: Fence) => {
          if (this.isBroken) throw new Error('the store does not answer')
          did.push(`leads ${chain} ${token}`)
        },
        published: (chain: string) => ({
          sight: { chain, visibility: 'ok', reason: null, head: 1, headAt: 0, scannedThrough: 0 },
        }),
        takePublished: (chain: string, said: unknown) =>
          void did.push(`gets ${said === null ? 'no sight' : 'the sight'} of ${chain}`),
        onSight: () => () => undefined,
      },
    }
    this.membership = new Membership({
      ...{ nodes: this.#nodes(), clock, log: silentLog, place, chains: ['local'] },
      // Only the methods that a membership calls.
      engine: engine as unknown as ConstructorParameters<typeof Membership>[0]['engine'],
      followers: {
        start: (chain) => void did.push(`follows ${chain}`),
        stop: async (chain) => {
          await this.holdsStop
          did.push(`stops ${chain}`)
        },
        withScores: (sight) => sight,
      },
      lookUps: { answer: async () => undefined },
      rescanning: { look: async () => undefined },
      backplane: { announce: () => undefined, subscribe: () => () => undefined },
    })
    members.push(this)
  }

  /** Its actions since the last call, without the sights that it got. */
  took(): readonly string[] {
    return this.did.splice(0).filter((one) => !one.startsWith('gets'))
  }

  #nodes(): Leases & Bulletin {
    const { leases } = this
    return {
      keep: (...args) => leases.keep(...args),
      giveBack: (holder) => leases.giveBack(holder),
      publish: async (chain, said) => {
        const revision = board.get(chain)?.revision ?? 1
        board.set(chain, { ...said, revision, at: clock.now() })
        return revision
      },
      published: async () =>
        [...board].map(
          ([chain, { body, revision, at }]): SightRecord => ({
            ...{ chain, body, revision, ageMs: clock.now() - at },
          }),
        ),
      ask: async () => 0,
      questions: async () => [],
      answer: async () => undefined,
      answerTo: async () => null,
      withdraw: async () => undefined,
    }
  }
}

describe('a process that shares a database', () => {
  it('first stands by, then follows and keeps time if it is alone', async () => {
    const one = new Member('a')
    await one.membership.start()
    expect(one.took()).toEqual([
      ...['stands by local', 'keeps time 1', 'leads local 1', 'follows local'],
    ])
  })

  it('takes over from a dead process within seven seconds, under a new token', async () => {
    const [one, two] = [new Member('a'), new Member('b')]
    await one.membership.start()
    await two.membership.start()
    expect(two.took()).toEqual(['stands by local'])
    one.leases.way = 'cut'
    await clock.advance(7_000)
    expect([...two.took()].sort()).toEqual(['follows local', 'keeps time 2', 'leads local 2'])
    expect([...one.took()].slice(-3).sort()).toEqual(['rests', 'stands by local', 'stops local'])
  })

  it('does not follow a chain again before its own old follower has stopped', async () => {
    const one = new Member('a')
    await one.membership.start()
    one.took()
    const { promise, resolve } = Promise.withResolvers<void>()
    one.holdsStop = promise
    one.leases.way = 'cut'
    await clock.advance(7_000)
    one.leases.way = 'open'
    await clock.advance(2_000)
    // The lease is won again while the old follower still delivers its last step.
    expect(one.took()).not.toContain('follows local')
    resolve()
    await clock.advance(100)
    expect(one.took()).toEqual(['stops local', 'leads local 1', 'follows local'])
  })

  it('retries to follow a chain until it succeeds', async () => {
    const one = new Member('a')
    one.isBroken = true
    const started = one.membership.start()
    await clock.advance(3_500)
    expect(one.took()).not.toContain('follows local')
    one.isBroken = false
    await clock.advance(1_000)
    await started
    expect(one.took().slice(-2)).toEqual(['leads local 1', 'follows local'])
  })

  it('gets the sight of a chain that another process follows, until that is too old', async () => {
    const [one, two] = [new Member('a'), new Member('b')]
    await one.membership.start()
    await clock.advance(1_000)
    await two.membership.start()
    expect(two.did.at(-1)).toBe('gets the sight of local')
    await one.membership.close()
    await clock.advance(5_500)
    expect(two.did.filter((what) => what.startsWith('gets')).at(-1)).toBe('gets no sight of local')
  })

  it('returns its leases when it is stopped, so that another process follows at once', async () => {
    const [one, two] = [new Member('a'), new Member('b')]
    await one.membership.start()
    await two.membership.start()
    await one.membership.close()
    await one.membership.giveBack()
    two.took()
    await clock.advance(1_100)
    expect(two.took()).toContain('follows local')
  })
})
