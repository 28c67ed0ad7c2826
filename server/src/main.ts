import { join } from 'node:path'
import { MemoryBackplane } from './backplane/memory.ts'
import { checksummed, depositAddress } from './chain/evm/deposit-address.ts'
import { EvmFollower } from './chain/evm/follower.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { secretNames } from './credential.ts'
import type { Asset } from './engine/asset.ts'
import { AssetBook } from './engine/asset-book.ts'
import { Engine } from './engine/engine.ts'
import { Hub } from './engine/hub.ts'
import type { ChainFacts, HttpPlugin } from './http/context.ts'
import { createServer } from './http/server.ts'
import { createLog } from './log.ts'
import { createMetrics, type ScrapedMetrics } from './metrics.ts'
import { checkPepper, readPepper } from './pepper.ts'
import type { Backplane, Clock, Log, StoredEvent } from './ports.ts'
import { type Running, runProgram } from './program.ts'
import { currentPolicy, policyOf, sandboxAssets } from './registry.ts'
import { type Demo, demoMerchant } from './sandbox/demo.ts'
import { sandboxRoutes } from './sandbox/routes.ts'
import { writeSandboxFile } from './sandbox/sandbox-file.ts'
import { shopRoutes } from './sandbox/shop/shop-routes.ts'
import { type Sandbox, startSandbox } from './sandbox/start-sandbox.ts'
import { startEmbedded } from './store/embedded.ts'
import { lockHome } from './store/home-lock.ts'
import { migrate } from './store/migrate.ts'
import { openStore, type Store } from './store/open.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')
const secretBytes = 32

/** What a test may put in the place of the real one. */
export interface Parts {
  readonly backplane: (log: Log) => Backplane
}

/** Builds everything once, in order. What was built is closed again when a later part fails. */
export async function start(config: Config, parts: Partial<Parts> = {}): Promise<Running> {
  const closers: (() => unknown)[] = []
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= closeAll(closers)
    return closing
  }
  try {
    const built = await build(config, parts, (closer) => closers.unshift(closer))
    return { ...built, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Goes on where one fails: what was started must be stopped. Rejects with the first error. */
async function closeAll(closers: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const closer of closers) {
    try {
      await closer()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** What every part is made with. */
interface World {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: ScrapedMetrics
  /** What must be ended, in the reverse order of being named. */
  readonly onClose: (closer: () => unknown) => void
}

async function build(
  config: Config,
  parts: Partial<Parts>,
  onClose: World['onClose'],
): Promise<Omit<Running, 'close'>> {
  const clock = systemClock
  const log = createLog({ level: config.logLevel, clock })
  const world = { config, clock, log, metrics: createMetrics({ clock, process: true }), onClose }
  for (const warning of config.warnings) log.warn({ area: 'config' }, warning)
  const pepper = readPepper(config.home, clock)

  const { databaseUrl, sandbox, lost } = await openGround(world)
  await migrate(databaseUrl, { log })
  const store = openStore({ url: databaseUrl, clock, log })
  onClose(() => store.close())
  await checkPepper(pepper, { ...config, ...store })
  const backplane = parts.backplane?.(log) ?? new MemoryBackplane(log)
  onClose(() => backplane.close())
  const hub = new Hub({ ...world, store: store.events, backplane })
  onClose(() => hub.close())

  const assets = sandbox === null ? [] : sandboxAssets({ ...sandbox.chain, token: sandbox.token })
  const engine = await startEngine(world, { store, backplane, sandbox, assets })
  if (sandbox !== null) follow(world, { store, engine, sandbox })
  const demo = sandbox && (await demoMerchant({ ...config, ...store, clock, pepper }))
  const url = await serve(world, { store, backplane, hub, engine, sandbox, demo, assets, pepper })
  if (sandbox !== null && demo !== null) announceSandbox(config, url, { sandbox, demo })
  return { url, lost }
}

interface Built {
  readonly store: Store
  readonly backplane: Backplane
  readonly hub: Hub
  readonly engine: Engine
  readonly sandbox: Sandbox | null
  readonly demo: Demo | null
  readonly assets: readonly Asset[]
  readonly pepper: Uint8Array
}

/** What everything stands on: the database, and in the sandbox the chain, both at once. */
async function openGround({ config, clock, log, onClose }: World): Promise<{
  databaseUrl: string
  sandbox: Sandbox | null
  lost: Promise<string>
}> {
  const { home } = config
  const lock = lockHome(home)
  onClose(() => lock.release())
  const lost = Promise.withResolvers<string>()
  const database = async (): Promise<string> => {
    if (config.databaseUrl !== null) return config.databaseUrl
    const { url, stop, exited } = await startEmbedded({ home, clock, log, lock })
    onClose(stop)
    exited.then(() => lost.resolve('The embedded database'))
    return url
  }
  const sandbox = async (): Promise<Sandbox | null> => {
    if (config.sandbox === null) return null
    const started = await startSandbox({ ...config.sandbox, home, clock, log })
    onClose(() => started.close())
    started.exited.then(() => lost.resolve('The local chain'))
    return started
  }
  // Both are waited for, also when one fails: what has started must be known to be stopped.
  const [url, chain] = await Promise.allSettled([database(), sandbox()])
  if (url.status === 'rejected') throw url.reason
  if (chain.status === 'rejected') throw chain.reason
  return { databaseUrl: url.value, sandbox: chain.value, lost: lost.promise }
}

async function startEngine(
  world: World,
  { store, backplane, sandbox, assets }: Pick<Built, 'store' | 'backplane' | 'sandbox' | 'assets'>,
): Promise<Engine> {
  const engine = new Engine({
    ...world,
    ...{ store: store.events, directory: store.directory, policyOf },
    assets: new AssetBook(assets),
    policy: currentPolicy(sandbox !== null),
    chains: sandbox === null ? [] : [{ name: sandbox.chain.name, livemode: false }],
    deriveAddress: depositAddress,
    announce: (events) => announce(backplane, events),
  })
  await engine.start()
  world.onClose(() => engine.close())
  return engine
}

/** One message per payment: how far it is now, with the events that took it there. */
function announce(backplane: Backplane, stored: readonly StoredEvent[]): void {
  const byPayment = new Map<string, StoredEvent[]>()
  for (const event of stored) {
    byPayment.set(event.paymentId, [...(byPayment.get(event.paymentId) ?? []), event])
  }
  for (const [paymentId, events] of byPayment) {
    const sequence = events.at(-1)?.event.data.sequence ?? 0
    backplane.announce({ paymentId, sequence, events })
  }
}

function follow(
  world: World,
  { store, engine, sandbox }: Pick<Built, 'store' | 'engine'> & { sandbox: Sandbox },
): void {
  const { name, chainId, providers, multicall3 } = sandbox.chain
  const sink = engine.watcher
  const follower = new EvmFollower({
    ...world,
    chain: {
      ...{ name, chainId, tokens: [sandbox.token.address] },
      nodes: providers.map((one) => ({ ...one, pending: 'auto', preconfirmations: 'none' })),
      ...{ quorum: 1, toleratedDepth: 1, multicall3, publicMempool: true, blockMs: null },
    },
    ...{ sink, watch: sink.watchSet(name), store: store.events },
  })
  follower.start()
  world.onClose(() => follower.close())
}

async function serve(world: World, built: Built): Promise<string> {
  const { store, engine, sandbox, assets, pepper } = built
  const { config, clock } = world
  const secret = (name: string) => store.directory.secret(name, () => clock.random(secretBytes))
  const server = await createServer({
    ...{ ...world, ...config, ...built, store: store.events, directory: store.directory },
    payments: engine.payments,
    publicUrl: (port) => config.publicUrl(port),
    chains: {
      ...{ assets: new AssetBook(assets), policy: currentPolicy(sandbox !== null) },
      facts: sandbox === null ? [] : [sandboxFacts(sandbox)],
      health: () => engine.watcher.chains(),
      headOf: (chain) => engine.watcher.headOf(chain),
      paceOf: (chain) => engine.watcher.paceOf(chain),
      visibility: (payment) => engine.watcher.visibility(payment),
      formatAddress: (_chain, address) => checksummed(address),
      // The sandbox's chain has no explorer.
      explorerUrl: () => null,
    },
    secrets: {
      pepper,
      clientSecret: await secret(secretNames.clientSecret),
      checkout: await secret(secretNames.checkout),
    },
    webRoot: join(root, 'web/dist'),
    sandbox: sandbox !== null,
    plugins: sandboxPlugins(world, built),
  })
  world.onClose(() => server.close())
  const { url } = await server.listen()
  return url
}

const sandboxFacts = ({ chain: { name, chainId } }: Sandbox): ChainFacts => ({
  ...{ name, chainId, livemode: false, explorerTx: null, blockMs: 2_000, publicMempool: true },
  native: { symbol: 'ETH', currency: 'ETH', decimals: 18, accepted: true },
})

/** The sandbox's own routes: its wallet, and a shop that knows nothing but the public API. */
function sandboxPlugins({ config, clock }: World, { sandbox, demo }: Built): HttpPlugin[] {
  if (sandbox === null || demo === null) return []
  const shop = shopRoutes({
    secretKey: () => demo.secretKey,
    clock,
    styles: join(root, 'web/src/ui'),
    publicUrl: (port) => config.publicUrl(port),
  })
  return [sandboxRoutes(sandbox), shop]
}

/** For programs: everything needed to use the sandbox, in one file, once it answers. */
function announceSandbox(
  config: Config,
  url: string,
  { sandbox, demo }: { sandbox: Sandbox; demo: Demo },
): void {
  const { name, chainId, httpUrl, wsUrl } = sandbox.chain
  writeSandboxFile(config.home, {
    ...{ url, ...demo, rpcUrl: httpUrl, wsUrl, chain: name, chainId, token: sandbox.token },
    payer: sandbox.wallet.address,
  })
}

if (import.meta.main) await runProgram(root, start)
