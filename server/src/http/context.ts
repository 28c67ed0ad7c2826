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

/** What the configuration holds true of a chain, as far as it is told. */
export type ChainFacts = Pick<
  ChainConfig,
  'name' | 'displayName' | 'chainId' | 'livemode' | 'explorerTx' | 'blockMs' | 'publicMempool'
> & {
  readonly native: Omit<NativeCoin, 'dust'>
  /** Tokens that are watched, accepted or not. */
  readonly tokens: readonly Pick<KnownToken, 'symbol' | 'address' | 'decimals'>[]
}

/** What can be paid with here, under which rules, and how well it is seen. */
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
  /** Of a chain that is followed: as of the last stored step, null before the first. */
  headOf(chain: string): ChainHead | null
  /** Of a chain that is followed, as measured lately. */
  paceOf(chain: string): Pace
  explorerUrl(chain: string, txHash: string): string | null
}

/** The installation's own secrets. */
export interface Secrets {
  /** What keys are hashed with. Lives outside of the database. */
  readonly pepper: Uint8Array
  /** What client secrets are derived from. */
  readonly clientSecret: Uint8Array
  /** What the tokens in checkout addresses are derived from. */
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
  /** Null when the store has just committed a change, else a word why it does not. */
  readonly proveWrites: () => Promise<string | null>
  readonly payments: Payments
  readonly hub: Hub
  readonly chains: Chains
  readonly secrets: Secrets
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** The origin of links, for the port that is listened on. */
  readonly publicUrl: (port: number) => string
  readonly heartbeatMs: number
  /** What clients may take. */
  readonly edge: EdgeLimits
  /** How long requests under way may take to finish once `close` was called. */
  readonly shutdownMs: number
  /** The directory of the built pages. */
  readonly webRoot: string
  /** Whether test payments can be paid from the sandbox's wallet. */
  readonly sandbox: boolean
  readonly plugins?: readonly HttpPlugin[]
}

/** What is only known once the server is there. */
export interface HttpContext extends HttpDeps {
  readonly gate: Gate
  /** What keys hold open here. */
  readonly keyWatch: Pick<KeyWatch, 'hold' | 'holdWait'>
  /** The origin of links, without a slash at the end. */
  readonly origin: () => string
  /** Aborts when the server begins to close: whoever waits must come to an end. */
  readonly closing: AbortSignal
}

/** The framework, with zod's types for what routes take and answer. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Routes from outside of http/: the sandbox's. They throw `Failure`s; problems are made of them here. */
export type HttpPlugin = (app: FastifyInstance, gate: Gate) => void | Promise<void>
