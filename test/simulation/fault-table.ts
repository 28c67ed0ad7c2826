import { pastBugs } from './past-bugs.ts'
import type { PlantedFault } from './planted-faults.ts'

/** Faults to plant: each breaks one rule in a plausible way. */
export const faultTable: readonly PlantedFault[] = [
  {
    name: 'count-by-hash',
    breaks: 'Two transfers in one transaction count separately: `part` tells them apart.',
    edits: [
      {
        file: 'core/src/payment/inclusion.ts',
        find: 'const key = String(transfer.part)',
        replace: 'const key = transfer.txHash',
      },
    ],
  },
  {
    name: 'trust-removed',
    breaks: 'Reverted blocks are found by parent hashes; the `removed` field of a log is ignored.',
    edits: [
      {
        file: 'server/src/chain/evm/block/logs.ts',
        find: '  const { address, topics, data } = log\n',
        replace:
          '  const { address, topics, data } = log\n  if (log.removed === true) return null\n',
      },
    ],
  },
  {
    name: 'cursor-early',
    breaks: 'The cursor moves in the transaction that stores the effects of the blocks it passes.',
    edits: [
      {
        file: 'server/src/engine/watch/step-store.ts',
        find: '  if (ids.length <= partSize) return putSound(put, ids, wholeOf(inStore))\n',
        replace: `  const whole = wholeOf(inStore)
  await put([], whole)
  const passed = { ...whole, fromView: whole.head.view, fromOpen: false, reverted: [], applied: [] }
  for (let from = 0; from < ids.length; from += partSize)
    await put(ids.slice(from, from + partSize), passed)
  if (whole !== null) return
`,
      },
    ],
  },
  {
    name: 'begun-step-forgotten',
    breaks: 'A step on another branch reverts the blocks of a partially stored step.',
    edits: [
      {
        file: 'server/src/chain/evm/walk/walk.ts',
        find: 'leftBehind(unfinished?.blocks ?? [], on)',
        replace: 'leftBehind([], on)',
      },
    ],
  },
  {
    name: 'skip-parent-check',
    breaks: 'Blocks are linked by parent hash, never by number.',
    edits: [
      {
        file: 'server/src/chain/evm/provider/branch.ts',
        find: '(stored) => stored.hash === first.parentHash',
        replace: '(stored) => stored.number === first.number - 1',
      },
      {
        file: 'server/src/chain/evm/provider/branch.ts',
        find: '(block.parentHash === parent.hash && block.number === parent.number + 1)',
        replace: 'block.number === parent.number + 1',
      },
    ],
  },
  {
    name: 'expire-blind',
    breaks: 'A payment expires only after all its chains were read past its deadline.',
    edits: [
      {
        file: 'core/src/payment/judge.ts',
        find: ' && clock.at > instant && clock.scannedThrough > instant',
        replace: ' && clock.at > instant',
      },
    ],
  },
  {
    name: 'denial-forgotten',
    breaks: 'A denial stands until its source takes it back, however many blocks follow.',
    edits: [
      {
        file: 'core/src/payment/transfer.ts',
        find: 'const isDisputed = isContradicted(reports, chain.policy?.quorum ?? 1)',
        replace:
          'const isDisputed = isContradicted(reports, chain.policy?.quorum ?? 1) && head < (block?.number ?? 0) + 4',
      },
    ],
  },
  {
    name: 'denial-unheard',
    breaks: 'A denial that arrives after its block was stored is recorded in the history.',
    edits: [
      {
        file: 'server/src/engine/watch/corroborations.ts',
        find: 'return deniesAlready ? null : denied',
        replace: 'return deniesAlready || denied.view > 0 ? null : denied',
      },
    ],
  },
  {
    name: 'denial-left-out',
    breaks: 'A denial that is known when its block is stored is recorded with the block.',
    edits: [
      {
        file: 'server/src/engine/watch/step-plan.ts',
        find: 'of deniedBy?.get(txHash) ?? []) {',
        replace: 'of deniedBy?.get(txHash)?.slice(0, 0) ?? []) {',
      },
    ],
  },
  {
    name: 'lie-upheld',
    breaks: 'Money that every source has taken back no longer counts.',
    edits: [
      {
        file: 'core/src/payment/transaction.ts',
        find: '  return wordsOn(transaction, blockHash).sources.length > 0\n',
        replace: '  return true\n',
      },
    ],
  },
  {
    name: 'openings-skipped',
    breaks: 'Before a block is read, every payment committed before that block is known.',
    edits: [
      {
        file: 'server/src/engine/watch/watcher.ts',
        find: '    await news.read()\n    if (this.#doubts === doubts) index.trust()',
        replace: '    if (this.#doubts === doubts) index.trust()',
      },
    ],
  },
  {
    name: 'ballot-twice',
    breaks:
      'A provider that shows a block by logs and by receipts is one source, not a quorum of two.',
    edits: [
      {
        file: 'server/src/chain/evm/ballot/poll.ts',
        find: "[...new Set([source, ...by('shows', one)])]",
        replace:
          "[source, ...by('shows', one).map((who) => (who === source ? who + ':receipts' : who))]",
      },
    ],
  },
  {
    name: 'fence-left-out',
    breaks: 'A step of a chain is stored under the lease of the chain, or refused.',
    edits: [
      {
        file: 'server/src/engine/watch/watcher.ts',
        find: 'const ours = fenced(writer, () => state.fence)',
        replace: 'const ours = fenced(writer, () => null)',
      },
    ],
  },
  {
    name: 'stop-at-success',
    breaks: 'A client with until=final goes on after a success until its money is irrevocable.',
    edits: [
      {
        file: 'client/src/until.ts',
        find: " && !(until === 'final' && isRevocable(standing))",
        replace: '',
      },
    ],
  },
  {
    name: 'sight-not-sent',
    breaks: 'When a chain becomes blind, every open stream reports it at once.',
    edits: [
      {
        file: 'server/src/http/stream/sse-heartbeat.ts',
        find: '(chain) => this.#news.changed(chain)',
        replace: '() => undefined',
      },
    ],
  },
  {
    name: 'not-woken',
    breaks: 'A page that becomes visible after a silence shows that it is checking, and checks.',
    edits: [
      {
        file: 'client/src/watchdog.ts',
        find: 'const isOver = this.#deadlineAt !== null && now >= this.#deadlineAt',
        replace: 'const isOver = false',
      },
    ],
  },
]

export function faultNamed(name: string): PlantedFault {
  const fault = [...faultTable, ...pastBugs].find((each) => each.name === name)
  if (fault === undefined) throw new Error(`unknown fault ${name}`)
  return fault
}
