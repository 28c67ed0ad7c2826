import type { ChainHealth } from './chain.ts'

/** What the operator's graphs show. Labels are few and bounded; ids are never labels. */
export interface Metrics {
  streamOpened(transport: 'sse' | 'long_poll'): void
  streamClosed(transport: 'sse' | 'long_poll', why: string): void
  streamFirstEvent(transport: 'sse' | 'long_poll', afterMs: number): void
  reconnected(outcome: 'resumed' | 'current' | 'reset' | 'finished'): void
  eventsPushed(transport: 'sse' | 'long_poll', count: number): void
  /** From the commit of an event to handing its frame to the sockets. */
  eventLag(ms: number): void
  appended(events: number, payments: number, tookMs: number): void
  chainMoved(chain: string, head: number, lagMs: number): void
  /** The current health. Called whenever it changes, and at least with every step. */
  chainHealth(health: ChainHealth): void
  /** A node connection changed its state, or a reorg was stored. */
  chainIncident(chain: string, what: 'connected' | 'lost' | 'silent' | 'reorged'): void
  /** A part of a node's answer could not be read and was skipped. */
  chainOdd(chain: string, what: 'transaction' | 'receipt' | 'log' | 'bloom'): void
  decided(type: string): void
  /** A payer named a transaction; `known` is what the nodes knew of it. */
  claimed(known: string): void
  /** A bug stopped a decision, or a stored state is unreadable: the operator must look into it. */
  quarantined(): void
}
