import type { BlockRef } from '@settlewire/core/payment/observation'
import { fieldsOf, quantity, toAddress, toBigInt, toHash } from '../node/hex.ts'
import type { EvmNode } from '../node/node.ts'

/** Native coin moved by a contract in a call that was not reverted. */
export interface Move {
  readonly txHash: string
  /**
   * Its path in the call tree, such as `0.2.1`. It is another one if the transaction executes
   * differently in another block.
   */
  readonly path: string
  readonly from: string
  readonly to: string
  readonly amount: bigint
}

interface TracedBlock {
  readonly ref: BlockRef
  readonly txHashes: readonly string[]
}

interface TraceForm {
  readonly method: string
  readonly params: (ref: BlockRef) => readonly unknown[]
  /**
   * Null when the result is of another block. Geth's must also have as many transactions as the
   * block; in Parity's each trace only names its block.
   */
  readonly parse: (result: unknown, block: TracedBlock) => Move[] | null
}

/** Geth's method, common elsewhere too, and Parity's, which takes a number and returns the hash. */
const forms: readonly TraceForm[] = [
  {
    method: 'debug_traceBlockByHash',
    params: ({ hash }) => [hash, { tracer: 'callTracer' }],
    parse: parseCallTree,
  },
  { method: 'trace_block', params: ({ number }) => [quantity(number)], parse: parseFlat },
]

/** A node is not asked again after it declined this often in a row, or if it supports no method. */
const refusalsMax = 3

interface OfferedTraces {
  form: TraceForm | null
  refusals: number
}
/** What each node offers, for the life of one connection. */
const offered = new WeakMap<EvmNode, OfferedTraces>()

/** The coin that contracts moved in a block; null when the node offers no trace of this block. */
export async function tracedMoves(
  node: EvmNode,
  block: TracedBlock,
): Promise<readonly Move[] | null> {
  const known = offered.get(node)
  if (known !== undefined && known.refusals >= refusalsMax) return null
  const refusals = known?.refusals ?? 0
  const inOrder = known?.form ? [known.form, ...forms.filter((one) => one !== known.form)] : forms
  let unsupported = 0
  let isShown = false
  for (const form of inOrder) {
    const answer = await node.ask(form.method, form.params(block.ref))
    if ('declined' in answer) {
      if (answer.declined.kind === 'unsupported') unsupported++
      // It worked before, so the node is busy or lacks this block: the other method is not tried.
      if (known?.form === form) break
      continue
    }
    isShown = true
    const moves = form.parse(answer.result, block)
    // A node may have discarded the data for one method and kept it for the other.
    if (moves === null) continue
    offered.set(node, { form, refusals: 0 })
    return moves
  }
  if (isShown) return null
  const counted = unsupported === forms.length ? refusalsMax : refusals + 1
  offered.set(node, { form: known?.form ?? null, refusals: counted })
  return null
}

function parseCallTree(result: unknown, { txHashes }: TracedBlock): Move[] | null {
  if (!Array.isArray(result) || result.length !== txHashes.length) return null
  const moves: Move[] = []
  for (const [at, traced] of result.entries()) {
    const fields = fieldsOf(traced)
    const root = fieldsOf(fields?.result)
    // Older nodes leave the hash out: results are in the order of the block's transactions.
    const txHash = txHashes[at]
    if (root === null || txHash === undefined) return null
    if (fields?.txHash !== undefined && fields.txHash !== txHash) return null
    collect(root, { txHash, path: [], moves })
  }
  return moves
}

/** A call with an error was reverted, with all of its inner calls. */
function collect(
  frame: Readonly<Record<string, unknown>>,
  at: { txHash: string; path: readonly number[]; moves: Move[] },
): void {
  if (frame.error !== undefined) return
  // The first call is the transaction itself. A delegated call repeats a value without moving it.
  const isMove = frame.type === 'CALL' || frame.type === 'SELFDESTRUCT'
  if (at.path.length > 0 && isMove) push(at, { ...frame, amount: frame.value })
  if (!Array.isArray(frame.calls)) return
  for (const [place, call] of frame.calls.entries()) {
    const inner = fieldsOf(call)
    if (inner !== null) collect(inner, { ...at, path: [...at.path, place] })
  }
}

function push(
  at: { txHash: string; path: readonly number[]; moves: Move[] },
  move: { from?: unknown; to?: unknown; amount?: unknown },
): void {
  const [from, to] = [toAddress(move.from), toAddress(move.to)]
  if (from === null || to === null || move.amount === undefined || move.amount === null) return
  const amount = toBigInt(move.amount, 'value in a trace')
  const { txHash, path, moves } = at
  if (amount > 0n && from !== to) moves.push({ txHash, path: path.join('.'), from, to, amount })
}

function parseFlat(result: unknown, { ref }: TracedBlock): Move[] | null {
  if (!Array.isArray(result)) return null
  const traces = result.map(fieldsOf)
  if (traces.some((trace) => trace === null || trace.blockHash !== ref.hash)) return null
  const undone = new Set<string>()
  const moves: Move[] = []
  // Parents come before their inner calls.
  for (const trace of traces) {
    const path = trace?.traceAddress
    if (trace === null || !Array.isArray(path) || typeof trace.transactionHash !== 'string')
      continue
    const txHash = toHash(trace.transactionHash, 'transaction hash of a trace')
    const key = `${txHash} ${path.join('.')}`
    const isUndone =
      trace.error !== undefined || (path.length > 0 && undone.has(parentOf(txHash, path)))
    if (isUndone) undone.add(key)
    else if (path.length > 0) push({ txHash, path, moves }, flatMove(trace))
  }
  return moves
}

const parentOf = (txHash: string, path: readonly unknown[]): string =>
  `${txHash} ${path.slice(0, -1).join('.')}`

function flatMove(trace: Readonly<Record<string, unknown>>) {
  const action = fieldsOf(trace.action)
  if (trace.type === 'suicide') {
    return { from: action?.address, to: action?.refundAddress, amount: action?.balance }
  }
  const isPlainCall = trace.type === 'call' && action?.callType === 'call'
  return isPlainCall ? { from: action.from, to: action.to, amount: action.value } : {}
}
