import type { ChainHealth } from './chain.ts'

/** What an operator's graphs are made of. Labels are few and bounded; ids are never labels. */
export interface Metrics {
  streamOpened(transport: 'sse' | 'long_poll'): void
  /** `deliveredMs` is null when the stream ended before it was sent anything. */
  streamClosed(transport: 'sse' | 'long_poll', why: string): void
  streamFirstEvent(transport: 'sse' | 'long_poll', afterMs: number): void
  reconnected(outcome: 'resumed' | 'current' | 'reset' | 'finished'): void
  eventsPushed(transport: 'sse' | 'long_poll', count: number): void
  /** From the commit of an event to the moment its frame was handed to the sockets. */
  eventLag(ms: number): void
  appended(events: number, payments: number, tookMs: number): void
  chainMoved(chain: string, head: number, lagMs: number): void
  /** As it stands now; called whenever it changes and at least with every step. */
  chainSeen(health: ChainHealth): void
  chainSocket(chain: string, what: 'connected' | 'lost' | 'silent' | 'reorged'): void
  /** Something that a node answered could not be read, and was skipped. */
  chainOdd(chain: string, what: 'transaction' | 'receipt' | 'log' | 'bloom'): void
  decided(type: string): void
  /** A payer named a transaction, and this is what the nodes knew of it. */
  claimed(known: string): void
  /** A fault of ours kept a payment from being judged: somebody must look. */
  setAside(): void
}
