import { expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { silentLog } from '../../log.ts'
import type { LookUp } from '../../ports/chain.ts'
import type { Bulletin, LookUpRequest } from '../../ports/processes.ts'
import { LookUps } from './look-ups.ts'

const txHash = `0x${'fe'.repeat(32)}`
const sighting = {
  ...{ txHash, contest: null, preconfirmed: false },
  transfer: { txHash, part: 'hint', token: null, from: '0x1', to: '0x2', amount: 2n ** 90n },
} as const
const pending: LookUp = { kind: 'pending', source: 'rpc:a', sighting }

/** The table of requests, and two processes that share it: the first follows the chain. */
function world() {
  const clock = new ManualClock()
  const open = new Map<number, LookUpRequest & { body: string | null }>()
  const bulletin: Pick<Bulletin, 'ask' | 'questions' | 'answer' | 'answerTo' | 'withdraw'> = {
    async ask(chain, hash) {
      const id = open.size + 1
      open.set(id, { id, chain, txHash: hash, body: null })
      return id
    },
    questions: async (chains) =>
      [...open.values()].filter(({ chain, body }) => chains.includes(chain) && body === null),
    async answer(id, body) {
      const asked = open.get(id)
      if (asked !== undefined) open.set(id, { ...asked, body })
    },
    answerTo: async (id) => open.get(id)?.body ?? null,
    async withdraw(id) {
      open.delete(id)
    },
  }
  const did: string[] = []
  const make = (isFollower: boolean): LookUps =>
    new LookUps({
      ...{ bulletin, clock, log: silentLog, follows: () => isFollower },
      async lookUp() {
        did.push('looked up')
        return pending
      },
      async readNews() {
        did.push('read the news')
      },
    })
  return { clock, open, did, follower: make(true), other: make(false) }
}

it('asks the providers itself when it follows the chain', async () => {
  const { follower, open } = world()
  expect(await follower.lookUp('local', txHash)).toEqual(pending)
  expect(open.size).toBe(0)
})

it('asks the process that follows the chain, and gets its whole answer with amounts', async () => {
  const { clock, follower, other } = world()
  const asked = other.lookUp('local', txHash)
  await clock.advance(50)
  await follower.answer(['local'])
  await clock.advance(200)
  expect(await asked).toEqual(pending)
})

it('reads the news before it answers, so that it knows every payment opened before', async () => {
  const { clock, follower, other, did } = world()
  void other.lookUp('local', txHash)
  await clock.advance(50)
  await follower.answer(['local'])
  await clock.advance(0)
  expect(did).toEqual(['read the news', 'looked up'])
})

it('is unsure when no process answers in time, and withdraws the request', async () => {
  const { clock, other, open } = world()
  const asked = other.lookUp('local', txHash)
  await clock.advance(5_000)
  expect(await asked).toEqual({ kind: 'unsure' })
  expect(open.size).toBe(0)
})
