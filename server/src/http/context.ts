import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead, Policy } from '@settlewire/core/payment/policy'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ChainConfig, KnownToken, NativeCoin } from '../chain-config.ts'
import type { EdgeLimits } from '../edge-limits.ts'
import type { AssetBook } from '../engine/payment/asset-book.ts'
import type { KindBook } from '../engine/payment/kind-book.ts'
import type { Payments } from '../engine/payment/payments.ts'
import type { Hub } from '../engine/topic/hub.ts'
import type { Pace } from '../engine/watch/pace.ts'
import type { ChainSight } from '../engine/watch/sight.ts'
import type { ScrapedMetrics } from '../metrics.ts'
import type { Directory, Gate, Keys } from '../ports/access.ts'
import type { Visibility } from '../ports/chain.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/history.ts'
import type { Log } from '../ports/log.ts'
import type { Stop } from '../ports/stop.ts'
import type { Backplane } from '../ports/topic.ts'
import type { KeyWatch } from './key-watch.ts'
import type { StreamLimits } from './stream/stream-limits.ts'

/** The part of a chain's configuration that clients may see. */
export type ChainFacts = Pick<
  ChainConfig,
  'name' | 'displayName' | 'chainId' | 'livemode' | 'explorerTx' | 'blockMs' | 'publicMempool'
> & {
  readonly native: Omit<NativeCoin, 'dust'>
  /** Tokens that are watched, accepted or not. */
  readonly tokens: readonly Pick<KnownToken, 'symbol' | 'address' | 'decimals'>[]
}

/** The chains and assets that payers can pay with, the rules for them, and their visibility. */
export interface Chains {
  readonly policy: Policy
  readonly assets: AssetBook
  readonly kinds: KindBook
  /** One for each chain that is configured. */
  readonly facts: readonly ChainFacts[]
  /** One for each chain that is followed. */
  health(): readonly ChainSight[]
  /** Calls the listener with each chain whose visibility has changed, until it is stopped. */
  onSight(listener: (chain: string) => void): Stop
  visibility(payment: Payment): Visibility
  /** The head of a followed chain as of the last stored step; null before the first step. */
  headOf(chain: string): ChainHead | null
  /** The recently measured pace of a followed chain. */
  paceOf(chain: string): Pace
  /** Null for a chain without an explorer. */
  explorerUrl(chain: string, txHash: string): string | null
}

/** The installation's own secrets. */
export interface Secrets {
  /** The pepper with which keys are hashed. It is kept outside of the database. */
  readonly pepper: Uint8Array
  /** The key from which client secrets are derived. */
  readonly clientSecret: Uint8Array
  /** The key from which the tokens in checkout URLs are derived. */
  readonly checkout: Uint8Array
}

/** Everything that routes work with. */
export interface HttpDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: ScrapedMetrics
  readonly store: EventStore
  readonly directory: Pick<Directory, 'merchant'>
  readonly keys: Pick<Keys, 'byHash' | 'standings' | 'noteUses'>
  readonly backplane: Pick<Backplane, 'prove'>
  /** Null when the store has just committed a write, else a short reason why it cannot. */
  readonly proveWrites: () => Promise<string | null>
  readonly payments: Payments
  readonly hub: Hub
  readonly chains: Chains
  readonly secrets: Secrets
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The origin of links, given the port on which the server listens. */
  readonly publicUrl: (port: number) => string
  readonly heartbeatMs: number
  /** Limits on connections, memory and time per client. */
  readonly edge: EdgeLimits
  /** How long running requests may take to finish once `close` was called. */
  readonly shutdownMs: number
  /** The directory of the built pages. */
  readonly webRoot: string
  /** Whether the sandbox's wallet can pay test payments. */
  readonly sandbox: boolean
  readonly plugins?: readonly HttpPlugin[]
}

/** What routes get in addition, known only once the server exists. */
export interface HttpContext extends HttpDeps {
  readonly gate: Gate
  /** Streams and long-polls by the key that opened them. */
  readonly keyWatch: Pick<KeyWatch, 'hold' | 'holdWait'>
  /** Counts streams and held long-polls, and refuses those beyond a limit. */
  readonly streamLimits: Pick<StreamLimits, 'enter' | 'leave'>
  /** The client of a request as limits count it; null if its address has no limit. */
  readonly clientOf: (request: IncomingMessage) => string | null
  /** The origin of links, without a slash at the end. */
  readonly origin: () => string
  /** Aborts when the server begins to close: streams and long-polls must then end. */
  readonly closing: AbortSignal
}

/** Fastify, with zod's types for requests and answers. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/**
 * Routes from outside of http/ (the sandbox). http/ turns the `Failure`s they throw into problems.
 */
export type HttpPlugin = (app: FastifyInstance, gate: Gate) => void | Promise<void>
