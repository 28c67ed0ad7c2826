import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { systemClock } from './clock.ts'
import type { ProviderScore, Visibility } from './ports/chain.ts'
import type { Clock } from './ports/clock.ts'
import type { Metrics } from './ports/metrics.ts'

const fineSeconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const labelForm = /^[a-z][a-z0-9_]{0,31}$/
const labelValuesMax = 64

/** What is counted at the edge, before any route. */
export interface EdgeMetrics {
  /** So many are open now. */
  connectionsOpen(count: number): void
  /** The server closed one, for this reason. */
  connectionCut(why: string): void
  /** A request was refused before it came to a route, with this code. */
  requestRefused(code: string): void
}

/** A metric of ours, ready to be counted on, with the text Prometheus asks for. */
export interface ScrapedMetrics extends Metrics, EdgeMetrics {
  /** Whether requests may name an asset. Its names come from the configuration: few, and known. */
  assetOffered(asset: string, offered: boolean): void
  /** The exposition, version 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
}

/**
 * Counts for Prometheus. There is no request-duration histogram: streams live for minutes and would
 * make it lie. `process: true` adds Node's own figures (memory, CPU, event loop lag).
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

/** Counts nothing. */
export const silentMetrics: Metrics = {
  streamOpened: () => undefined,
  streamClosed: () => undefined,
  streamFirstEvent: () => undefined,
  reconnected: () => undefined,
  eventsPushed: () => undefined,
  eventLag: () => undefined,
  appended: () => undefined,
  chainMoved: () => undefined,
  chainSeen: () => undefined,
  chainSocket: () => undefined,
  chainOdd: () => undefined,
  decided: () => undefined,
  claimed: () => undefined,
  setAside: () => undefined,
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
    help: 'From the request of a stream to its first event.',
    labelNames: ['transport'],
    buckets: fineSeconds,
    registers,
  })
  const reconnects = new Counter({
    name: 'settlewire_stream_reconnects_total',
    help: 'Streams opened with a Last-Event-ID, by what it led to.',
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
    help: 'From the commit of an event to its hand-over to the sockets.',
    buckets: fineSeconds,
    registers,
  })
  const bounded = boundedLabel()
  for (const transport of ['sse', 'long_poll']) {
    open.labels(transport).set(0)
    pushed.labels(transport).inc(0)
  }
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

/** Why connections are cut, so that each is shown from the start. */
const cuts = [
  ...['silent', 'head_timeout', 'body_timeout', 'idle', 'unread', 'unread_bytes', 'held_bytes'],
  ...['made_room', 'no_room', 'closing'],
]

function edgeMetrics(registry: Registry): EdgeMetrics {
  const registers = [registry]
  const open = new Gauge({
    name: 'settlewire_connections_open',
    help: 'Connections of clients that are open now, streams included.',
    registers,
  })
  const cut = new Counter({
    name: 'settlewire_connections_cut_total',
    help: 'Connections that the server closed, by reason.',
    labelNames: ['why'],
    registers,
  })
  const refused = new Counter({
    name: 'settlewire_requests_refused_total',
    help: 'Requests that were refused before they came to a route, by code.',
    labelNames: ['code'],
    registers,
  })
  for (const why of cuts) cut.labels(why).inc(0)
  for (const code of ['too_many_connections', 'too_many_from_address', 'request_timeout']) {
    refused.labels(code).inc(0)
  }
  const bounded = boundedLabel()
  return {
    connectionsOpen: (count) => open.set(count),
    connectionCut: (why) => cut.labels(bounded(why)).inc(),
    requestRefused: (code) => refused.labels(bounded(code)).inc(),
  }
}

function historyMetrics(
  registry: Registry,
): Pick<Metrics, 'appended' | 'decided' | 'claimed' | 'setAside'> {
  const registers = [registry]
  const took = new Histogram({
    name: 'settlewire_append_seconds',
    help: 'Time one append to the history took, commit included.',
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
    help: 'Payments that shared one append.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  })
  const decided = new Counter({
    name: 'settlewire_events_decided_total',
    help: 'Events decided on, by type.',
    labelNames: ['type'],
    registers,
  })
  const faults = new Counter({
    name: 'settlewire_payments_set_aside_total',
    help: 'Times that a fault kept a payment from being judged. Any is a reason to look at the log.',
    registers,
  })
  const claims = new Counter({
    name: 'settlewire_claims_total',
    help: 'Transactions that payers named, by what the nodes knew of them at once.',
    labelNames: ['known'],
    registers,
  })
  const bounded = boundedLabel()
  return {
    claimed: (known) => claims.labels(bounded(known)).inc(),
    setAside: () => faults.inc(),
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
): Pick<Metrics, 'chainMoved' | 'chainSocket' | 'chainOdd' | 'chainSeen'> {
  const registers = [registry]
  const headAt = new Map<string, number>()
  const head = new Gauge({
    name: 'settlewire_chain_head',
    help: 'Number of the last block whose effects are stored.',
    labelNames: ['chain'],
    registers,
  })
  new Gauge({
    name: 'settlewire_chain_lag_seconds',
    help: 'Age of the last stored block, at the time of the scrape.',
    labelNames: ['chain'],
    registers,
    // Counted when it is read: a chain that stands still must be seen to fall behind.
    collect() {
      for (const [chain, at] of headAt) this.labels(chain).set((clock.now() - at) / 1000)
    },
  })
  const sockets = new Counter({
    name: 'settlewire_chain_socket_total',
    help: 'What became of the sockets to the nodes.',
    labelNames: ['chain', 'what'],
    registers,
  })
  const odd = new Counter({
    name: 'settlewire_chain_odd_items_total',
    help: 'What nodes answered that could not be read, and was skipped.',
    labelNames: ['chain', 'what'],
    registers,
  })
  return {
    chainMoved: (chain, number, lagMs) => {
      headAt.set(chain, clock.now() - lagMs)
      head.labels(chain).set(number)
    },
    chainSocket: (chain, what) => sockets.labels(chain, what).inc(),
    chainOdd: (chain, what) => odd.labels(chain, what).inc(),
    chainSeen: sightMetrics(registry),
  }
}

/** How well a chain is seen, as a number that graphs and alerts can compare. */
const visibilityLevel: Readonly<Record<Visibility, number>> = { ok: 2, degraded: 1, blind: 0 }

type ScoreOf = (provider: ProviderScore) => number

/** What is kept of each provider, with what it says on the page of metrics. */
const providerGauges: readonly (readonly [name: string, help: string, of: ScoreOf])[] = [
  ['visibility', '2 ok, 1 degraded, 0 blind.', ({ visibility }) => visibilityLevel[visibility]],
  ['head', 'Number of its newest block.', ({ head }) => head ?? 0],
  ['lag_blocks', 'Blocks behind the best provider.', ({ lagBlocks }) => lagBlocks],
  ['lag_seconds', 'How long after the best its heads come.', ({ lagMs }) => lagMs / 1000],
  ['logs_asked', 'Blocks it was asked the logs of.', ({ logsAsked }) => logsAsked],
  ['logs_empty', 'Of these, empty answers that were wrong.', ({ logsEmpty }) => logsEmpty],
  ['disagreements', 'Blocks it named otherwise than others.', ({ disagreements }) => disagreements],
  ['reconnects', 'Connections to it that were made again.', ({ reconnects }) => reconnects],
  ['first_seen', 'Pending transactions it showed first.', ({ firstSeen }) => firstSeen],
]

/** Reasons that no time mends: the chain is not read on until a person has looked. */
const halting: ReadonlySet<string> = new Set([
  'chain_mismatch',
  'reorg_below_finality',
  'reorg_too_deep',
])

function sightMetrics(registry: Registry): Metrics['chainSeen'] {
  const registers = [registry]
  const tellTrouble = troubleMetrics(registry)
  const sight = new Gauge({
    name: 'settlewire_chain_visibility',
    help: 'How well a chain is seen: 2 ok, 1 degraded, 0 blind.',
    labelNames: ['chain'],
    registers,
  })
  const gauges = providerGauges.map(([name, help, of]) => ({
    of,
    gauge: new Gauge({
      ...{ name: `settlewire_provider_${name}`, help, registers },
      labelNames: ['chain', 'provider'],
    }),
  }))
  return ({ chain, visibility, reason, providers = [] }) => {
    sight.labels(chain).set(visibilityLevel[visibility])
    tellTrouble(chain, reason)
    for (const provider of providers) {
      for (const { of, gauge } of gauges) gauge.labels(chain, provider.name).set(of(provider))
    }
  }
}

/** What to be woken for: that a chain is halted, and why any is not seen well. */
function troubleMetrics(registry: Registry): (chain: string, reason: string | null) => void {
  const registers = [registry]
  const halted = new Gauge({
    name: 'settlewire_chain_halted',
    help: '1 while a chain is not read on until a person has looked.',
    labelNames: ['chain'],
    registers,
  })
  const trouble = new Gauge({
    name: 'settlewire_chain_trouble',
    help: '1 for the reason why a chain is not seen well, 0 for those that have passed.',
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

/** Keeps a label to few short words, so that no caller can turn ids into time series. */
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
    help: 'Whether an asset may be asked for; 0: its chain contradicts it, or could not be asked.',
    labelNames: ['asset'],
    registers: [registry],
  })
  return (asset, isOffered) => offered.set({ asset }, isOffered ? 1 : 0)
}
