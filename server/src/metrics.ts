import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { systemClock } from './clock.ts'
import { codesOf } from './edge-limit-table.ts'
import type { ProviderScore, Visibility } from './ports/chain.ts'
import type { Clock } from './ports/clock.ts'
import type { Metrics } from './ports/metrics.ts'

const fineSeconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const labelForm = /^[a-z][a-z0-9_]{0,31}$/
const labelValuesMax = 64

/** Metrics of connections and of refusals before any route. */
export interface EdgeMetrics {
  /** Sets the number of open connections. */
  connectionsOpen(count: number): void
  /** The server closed a connection for this reason. */
  connectionCut(why: string): void
  /** The server reads no further requests from a connection for a while, for this reason. */
  connectionPaused(why: string): void
  /** A request was refused with this code before it reached a route. */
  requestRefused(code: string): void
}

/** All metrics, with their text for Prometheus. */
export interface ScrapedMetrics extends Metrics, EdgeMetrics {
  /** Whether new payments may accept an asset. The configuration has few assets, so few series. */
  assetOffered(asset: string, offered: boolean): void
  /** The exposition, version 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
}

/**
 * Metrics for Prometheus. There is no histogram of request durations, because streams that live for
 * minutes would distort it. `process: true` adds Node's metrics (memory, CPU, event loop lag).
 */
export function createMetrics(
  options: { readonly clock?: Clock; readonly process?: boolean } = {},
): ScrapedMetrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  return {
    ...streamMetrics(registry),
    ...edgeMetrics(registry),
    ...historyMetrics(registry),
    ...chainMetrics(registry, options.clock ?? systemClock),
    assetOffered: assetMetrics(registry),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

/** Metrics that count nothing. */
export const silentMetrics: Metrics = {
  streamOpened: () => undefined,
  streamClosed: () => undefined,
  streamFirstEvent: () => undefined,
  reconnected: () => undefined,
  eventsPushed: () => undefined,
  eventLag: () => undefined,
  appended: () => undefined,
  chainMoved: () => undefined,
  chainHealth: () => undefined,
  chainIncident: () => undefined,
  chainOdd: () => undefined,
  decided: () => undefined,
  claimed: () => undefined,
  quarantined: () => undefined,
}

type StreamPart = Pick<
  Metrics,
  'streamOpened' | 'streamClosed' | 'streamFirstEvent' | 'reconnected' | 'eventsPushed' | 'eventLag'
>

function streamMetrics(registry: Registry): StreamPart {
  const registers = [registry]
  const open = new Gauge({
    name: 'settlewire_streams_open',
    help: 'Streams that are open now.',
    labelNames: ['transport'],
    registers,
  })
  const closed = new Counter({
    name: 'settlewire_streams_closed_total',
    help: 'Streams that ended, by reason.',
    labelNames: ['transport', 'why'],
    registers,
  })
  const first = new Histogram({
    name: 'settlewire_stream_first_event_seconds',
    help: 'Time from the request of a stream to its first event.',
    labelNames: ['transport'],
    buckets: fineSeconds,
    registers,
  })
  const reconnects = new Counter({
    name: 'settlewire_stream_reconnects_total',
    help: 'Streams opened with a Last-Event-ID, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const pushed = new Counter({
    name: 'settlewire_events_pushed_total',
    help: 'Events written to streams.',
    labelNames: ['transport'],
    registers,
  })
  const lag = new Histogram({
    name: 'settlewire_event_lag_seconds',
    help: 'Time from the commit of an event to its write to the sockets.',
    buckets: fineSeconds,
    registers,
  })
  const bounded = boundedLabel()
  for (const transport of ['sse', 'long_poll']) {
    open.labels(transport).set(0)
    pushed.labels(transport).inc(0)
  }
  for (const why of codesOf('endStream')) closed.labels('sse', bounded(why)).inc(0)
  for (const outcome of ['resumed', 'current', 'reset', 'finished']) {
    reconnects.labels(outcome).inc(0)
  }
  return {
    streamOpened: (transport) => open.labels(transport).inc(),
    streamClosed: (transport, why) => {
      open.labels(transport).dec()
      closed.labels(transport, bounded(why)).inc()
    },
    streamFirstEvent: (transport, afterMs) => first.labels(transport).observe(afterMs / 1000),
    reconnected: (outcome) => reconnects.labels(outcome).inc(),
    eventsPushed: (transport, count) => pushed.labels(transport).inc(count),
    eventLag: (ms) => lag.observe(ms / 1000),
  }
}

/** All reasons for closing a connection, so that each series exists from the start. */
const cutReasons = [
  'silent', // the client sent no first request in time
  'head_timeout', // the headers of a request did not arrive completely in time
  'body_timeout', // the body of a request did not arrive completely in time
  'idle', // no further request came in time
  'unread', // the client did not read its response in time
  'unread_bytes', // this connection has more unsent bytes than its limit
  'held_bytes', // all connections together hold more memory than their limit, this one the most
  'made_room', // an idle connection was closed for a new one, because a limit was reached
  'no_room', // a new connection was closed at once, because too many are already over a limit
  'closing', // the server shuts down, and the connection had no request
]

function edgeMetrics(registry: Registry): EdgeMetrics {
  const registers = [registry]
  const open = new Gauge({
    name: 'settlewire_connections_open',
    help: 'Client connections that are open now, streams included.',
    registers,
  })
  const cut = new Counter({
    name: 'settlewire_connections_cut_total',
    help: 'Connections that the server closed, by reason.',
    labelNames: ['why'],
    registers,
  })
  const paused = new Counter({
    name: 'settlewire_connections_paused_total',
    help: 'Connections whose further requests were not read for a while, by reason.',
    labelNames: ['why'],
    registers,
  })
  paused.labels('pipelined').inc(0)
  const refused = new Counter({
    name: 'settlewire_requests_refused_total',
    help: 'Requests that were refused because of a limit, or because they are not valid HTTP, by code.',
    labelNames: ['code'],
    registers,
  })
  for (const why of cutReasons) cut.labels(why).inc(0)
  for (const code of codesOf('answer')) refused.labels(code).inc(0)
  const bounded = boundedLabel()
  return {
    connectionsOpen: (count) => open.set(count),
    connectionCut: (why) => cut.labels(bounded(why)).inc(),
    connectionPaused: (why) => paused.labels(bounded(why)).inc(),
    requestRefused: (code) => refused.labels(bounded(code)).inc(),
  }
}

function historyMetrics(
  registry: Registry,
): Pick<Metrics, 'appended' | 'decided' | 'claimed' | 'quarantined'> {
  const registers = [registry]
  const took = new Histogram({
    name: 'settlewire_append_seconds',
    help: 'Duration of one append to the history, commit included.',
    buckets: fineSeconds,
    registers,
  })
  const events = new Counter({
    name: 'settlewire_appended_events_total',
    help: 'Events committed to the history.',
    registers,
  })
  const batch = new Histogram({
    name: 'settlewire_append_payments',
    help: 'Number of payments in one append.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  })
  const decided = new Counter({
    name: 'settlewire_events_decided_total',
    help: 'Committed events, by type.',
    labelNames: ['type'],
    registers,
  })
  const faults = new Counter({
    name: 'settlewire_payments_quarantined_total',
    help: 'Quarantined payments: a bug stopped a decision, or a stored state is unreadable.',
    registers,
  })
  const claims = new Counter({
    name: 'settlewire_claims_total',
    help: 'Transaction hashes that payers submitted. Label `known`: whether the nodes knew the transaction.',
    labelNames: ['known'],
    registers,
  })
  const bounded = boundedLabel()
  return {
    claimed: (known) => claims.labels(bounded(known)).inc(),
    quarantined: () => faults.inc(),
    appended: (count, payments, tookMs) => {
      took.observe(tookMs / 1000)
      events.inc(count)
      batch.observe(payments)
    },
    decided: (type) => decided.labels(bounded(type)).inc(),
  }
}

function chainMetrics(
  registry: Registry,
  clock: Clock,
): Pick<Metrics, 'chainMoved' | 'chainIncident' | 'chainOdd' | 'chainHealth'> {
  const registers = [registry]
  const headAt = new Map<string, number>()
  const head = new Gauge({
    name: 'settlewire_chain_head',
    help: 'Block number of the last block whose effects are stored.',
    labelNames: ['chain'],
    registers,
  })
  new Gauge({
    name: 'settlewire_chain_lag_seconds',
    help: 'Age of the last stored block, at the time of the scrape.',
    labelNames: ['chain'],
    registers,
    // Computed at each scrape, so that the lag grows while a chain has no new blocks.
    collect() {
      for (const [chain, at] of headAt) this.labels(chain).set((clock.now() - at) / 1000)
    },
  })
  const incidents = new Counter({
    name: 'settlewire_chain_incidents_total',
    help: 'Node connections that opened (`connected`), closed (`lost`) or stopped sending blocks (`silent`), and stored reorgs (`reorged`).',
    labelNames: ['chain', 'what'],
    registers,
  })
  const odd = new Counter({
    name: 'settlewire_chain_odd_items_total',
    help: 'Unreadable items in answers of nodes, which were skipped.',
    labelNames: ['chain', 'what'],
    registers,
  })
  return {
    chainMoved: (chain, number, lagMs) => {
      headAt.set(chain, clock.now() - lagMs)
      head.labels(chain).set(number)
    },
    chainIncident: (chain, what) => incidents.labels(chain, what).inc(),
    chainOdd: (chain, what) => odd.labels(chain, what).inc(),
    chainHealth: healthMetrics(registry),
  }
}

/** Visibility as a number that graphs and alerts can compare. */
const visibilityLevel: Readonly<Record<Visibility, number>> = { ok: 2, degraded: 1, blind: 0 }

type ScoreOf = (provider: ProviderScore) => number

/** The gauges of each provider, with their help texts. */
const providerGauges: readonly (readonly [name: string, help: string, of: ScoreOf])[] = [
  ['visibility', '2 ok, 1 degraded, 0 blind.', ({ visibility }) => visibilityLevel[visibility]],
  ['head', "Number of the provider's newest block.", ({ head }) => head ?? 0],
  ['lag_blocks', 'Blocks behind the provider with the highest head.', ({ lagBlocks }) => lagBlocks],
  ['lag_seconds', 'Delay of its heads after the fastest provider.', ({ lagMs }) => lagMs / 1000],
  [
    'logs_asked',
    'How often logs of a block were requested from this provider.',
    ({ logsAsked }) => logsAsked,
  ],
  [
    'logs_empty',
    'Log answers that missed transfers or were empty at first.',
    ({ logsEmpty }) => logsEmpty,
  ],
  [
    'disagreements',
    'How often it and another provider disagreed about a block or a transaction.',
    ({ disagreements }) => disagreements,
  ],
  ['reconnects', 'Reconnects to the provider.', ({ reconnects }) => reconnects],
  ['first_seen', 'Pending transactions it reported first.', ({ firstSeen }) => firstSeen],
]

/** Reasons that halt a chain until a person has acted. */
const halting: ReadonlySet<string> = new Set([
  'chain_mismatch',
  'reorg_below_finality',
  'reorg_too_deep',
])

function healthMetrics(registry: Registry): Metrics['chainHealth'] {
  const registers = [registry]
  const tellTrouble = troubleMetrics(registry)
  const visibility = new Gauge({
    name: 'settlewire_chain_visibility',
    help: 'Visibility of a chain: 2 ok, 1 degraded, 0 blind.',
    labelNames: ['chain'],
    registers,
  })
  const gauges = providerGauges.map(([name, help, of]) => ({
    of,
    gauge: new Gauge({
      name: `settlewire_provider_${name}`,
      help,
      registers,
      labelNames: ['chain', 'provider'],
    }),
  }))
  return (health) => {
    const { chain, reason, providers = [] } = health
    visibility.labels(chain).set(visibilityLevel[health.visibility])
    tellTrouble(chain, reason)
    for (const provider of providers) {
      for (const { of, gauge } of gauges) gauge.labels(chain, provider.name).set(of(provider))
    }
  }
}

/** Metrics for alerts: that a chain is halted, and why a chain is degraded or blind. */
function troubleMetrics(registry: Registry): (chain: string, reason: string | null) => void {
  const registers = [registry]
  const halted = new Gauge({
    name: 'settlewire_chain_halted',
    help: '1 while a chain is halted until a person has acted.',
    labelNames: ['chain'],
    registers,
  })
  const trouble = new Gauge({
    name: 'settlewire_chain_trouble',
    help: '1 for the current reason why a chain is degraded or blind, 0 for past reasons.',
    labelNames: ['chain', 'reason'],
    registers,
  })
  const bounded = boundedLabel()
  const last = new Map<string, string>()
  return (chain, reason) => {
    halted.labels(chain).set(reason !== null && halting.has(reason) ? 1 : 0)
    const before = last.get(chain)
    if (before !== undefined) trouble.labels(chain, before).set(0)
    last.delete(chain)
    if (reason === null) return
    last.set(chain, bounded(reason))
    trouble.labels(chain, bounded(reason)).set(1)
  }
}

/** Limits a label to a few short words, so that no caller can create time series from ids. */
function boundedLabel(): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (!labelForm.test(value) || known.size >= labelValuesMax) return 'other'
    known.add(value)
    return value
  }
}

function assetMetrics(registry: Registry): ScrapedMetrics['assetOffered'] {
  const offered = new Gauge({
    name: 'settlewire_asset_offered',
    help: '1 if payments may accept the asset. 0 if the token contract on the chain does not match the configuration, or no node answered.',
    labelNames: ['asset'],
    registers: [registry],
  })
  return (asset, isOffered) => offered.set({ asset }, isOffered ? 1 : 0)
}
