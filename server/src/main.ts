import { join } from 'node:path'
import { MemoryBackplane } from './backplane/memory.ts'
import type { ChainConfig } from './chain-config.ts'
import { systemClock } from './clock.ts'
import { AssetWatch } from './compose/asset-watch.ts'
import { assetsOf, configuredChains, explorerUrl, withSandbox } from './compose/chains.ts'
import { Followers } from './compose/followers.ts'
import { openGround } from './compose/ground.ts'
import { prepareHome } from './compose/home.ts'
import { adapters, type ChainAdapter } from './compose/kinds.ts'
import type { Config } from './config.ts'
import { secretNames } from './credential.ts'
import { Engine } from './engine/engine.ts'
import { AssetBook } from './engine/payment/asset-book.ts'
import { KindBook } from './engine/payment/kind-book.ts'
import { PolicyBook } from './engine/payment/policy-book.ts'
import { Membership } from './engine/process/membership.ts'
import { Hub } from './engine/topic/hub.ts'
import { hintsOf, hintsOfForeign } from './engine/topic/topics.ts'
import { LookUps } from './engine/watch/look-ups.ts'
import { Rescanning } from './engine/watch/rescanning.ts'
import type { HttpPlugin } from './http/context.ts'
import { createServer } from './http/server.ts'
import { createLog } from './log.ts'
import { createMetrics, type ScrapedMetrics } from './metrics.ts'
import { connectionsThatFit } from './open-files.ts'
import { checkPepper, readPepper } from './pepper.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Backplane } from './ports/topic.ts'
import { type RunningProgram, runProgram } from './program.ts'
import type { ChainReaders } from './registry/chain-reader.ts'
import { readers } from './registry/kinds.ts'
import { builtInPolicies, policyFor } from './registry/policy.ts'
import { type Demo, demoMerchant } from './sandbox/demo.ts'
import { sandboxRoutes } from './sandbox/routes.ts'
import { writeSandboxFile } from './sandbox/sandbox-file.ts'
import { shopRoutes } from './sandbox/shop/shop-routes.ts'
import type { Sandbox } from './sandbox/start-sandbox.ts'
import { placeOf } from './store/embedded/home-lock.ts'
import { migrate } from './store/migrate.ts'
import { openStore, type Store } from './store/open.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')
const secretBytes = 32

/** Parts that a test may replace. */
export interface ReplaceableParts {
  readonly backplane: (log: Log) => Backplane
  /** The kinds of chain that can be followed, and the readers of their configuration. */
  readonly adapters: readonly ChainAdapter[]
  readonly readers: ChainReaders
}

/** Builds everything once, in order. If a part fails, the parts before it are closed again. */
export async function start(
  config: Config,
  parts: Partial<ReplaceableParts> = {},
): Promise<RunningProgram> {
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

/** Closes all parts, also after one fails. Rejects with the first error. */
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

/** The dependencies of every part. */
interface World {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: ScrapedMetrics
  /** Registers a closer. Closers run in reverse order. */
  readonly onClose: (closer: () => unknown) => void
  readonly adapters: readonly ChainAdapter[]
}

async function build(
  config: Config,
  parts: Partial<ReplaceableParts>,
  onClose: World['onClose'],
): Promise<Omit<RunningProgram, 'close'>> {
  const clock = systemClock
  const log = createLog({ level: config.logLevel, clock })
  const metrics = createMetrics({ clock, process: true })
  const world = { config, clock, log, metrics, onClose, adapters: parts.adapters ?? adapters }
  for (const warning of config.warnings) log.warn({ area: 'config' }, warning)
  prepareHome(config.home)
  const pepper = readPepper(config.home, clock)
  const configured = await configuredChains(root, config, parts.readers ?? readers)

  const { databaseUrl, sandbox, lost, tellUrl } = await openGround(world)
  await migrate(databaseUrl, { log })
  const store = openStore({ url: databaseUrl, clock, log })
  onClose(() => store.close())
  await checkPepper(pepper, { ...config, ...store })
  const backplane = parts.backplane?.(log) ?? new MemoryBackplane(log)
  onClose(() => backplane.close())
  const hub = new Hub({ ...world, backplane })
  onClose(() => hub.close())

  const chains = withSandbox(configured, sandbox, config.sandbox)
  if (chains.length === 0)
    log.warn({ area: 'config' }, 'no chain is configured: payments are not possible')
  const rules = { builtIn: builtInPolicies, current: policyFor(chains) }
  const policies = await PolicyBook.open(store.policies, rules)
  const assets = await openAssets(world, { chains, sandbox })
  const followers = new Followers()
  const kinds = new KindBook(
    world.adapters.map(({ kind }) => kind),
    chains,
  )
  const ground = { store, backplane, chains, policies, assets, followers, kinds }
  const engine = await startEngine(world, ground)
  const demo = sandbox && (await demoMerchant({ ...config, ...store, clock, pepper }))
  const port = await serve(world, { ...ground, hub, engine, sandbox, demo, pepper })
  const localUrl = config.localUrl(port)
  tellUrl(localUrl)
  if (sandbox !== null && demo !== null) announceSandbox(config, localUrl, { sandbox, demo })
  const chain = sandbox && { url: sandbox.chain.httpUrl, takenPort: sandbox.takenPort }
  return { url: config.publicUrl(port), localUrl, databaseUrl, chain, lost }
}

interface Built {
  readonly store: Store
  readonly backplane: Backplane
  readonly hub: Hub
  readonly engine: Engine
  readonly sandbox: Sandbox | null
  readonly demo: Demo | null
  readonly chains: readonly ChainConfig[]
  readonly policies: PolicyBook
  readonly assets: AssetBook
  readonly followers: Followers
  readonly kinds: KindBook
  readonly pepper: Uint8Array
}

/**
 * Assets for new payments: the sandbox's own at once, others once their chain has confirmed them.
 */
async function openAssets(
  world: World,
  { chains, sandbox }: Pick<Built, 'chains' | 'sandbox'>,
): Promise<AssetBook> {
  const book = new AssetBook(chains.flatMap(assetsOf), { kind: 'unchecked' })
  for (const asset of book.all) {
    if (asset.chain === sandbox?.chain.name) book.set(asset, { kind: 'active' })
  }
  const watch = new AssetWatch({
    ...{ ...world, chains, book },
    tell: (asset, state) => world.metrics.assetOffered(asset, state === 'active'),
  })
  world.onClose(() => watch.close())
  await watch.start()
  return book
}

/** Starts commands, then loads open payments, then follows chains: so no payment is overlooked. */
async function startEngine(
  world: World,
  built: Pick<
    Built,
    'store' | 'backplane' | 'chains' | 'policies' | 'assets' | 'followers' | 'kinds'
  >,
): Promise<Engine> {
  const { store, backplane, chains, policies, assets, followers, kinds } = built
  const lookUps = new LookUps({
    ...{ ...world, bulletin: store.nodes, lookUp: followers.lookUp },
    follows: (chain) => followers.follows(chain),
    readNews: () => engine.news.read(),
  })
  const engine = new Engine({
    ...{ ...world, assets, chains, kinds, store: store.events, directory: store.directory },
    ...{ policy: policies.current, policyOf: policies.policyOf, learnPolicies: policies.learn },
    lookUp: lookUps.lookUp,
    deriveAddress: kinds.depositAddress,
    announce(events) {
      for (const hint of hintsOf(events)) backplane.announce(hint)
    },
    shared: true,
    onLeaseLost: () => membership.look(),
  })
  // Events that other processes committed are announced here again, for the streams of this
  // process.
  engine.news.onNews(({ subjects }) => {
    for (const moved of subjects) for (const hint of hintsOfForeign(moved)) backplane.announce(hint)
  })
  await engine.start()
  const rescanning = new Rescanning({
    ...{ ...world, chains, store: store.events, rescans: store.rescans, index: engine.index },
    ...{ policy: policies.current, followerOf: followers.followerOf },
    headOf: (chain) => engine.watcher.headOf(chain),
  })
  const membership = new Membership({
    ...{ ...world, nodes: store.nodes, engine, followers, lookUps, rescanning, backplane },
    chains: chains.map(({ name }) => name),
    place: placeOf(world.config.home),
  })
  const parts = { ...world, store: store.events, watcher: engine.watcher, chains }
  followers.open({ ...parts, index: engine.index })
  // Closes in reverse order: take no leases, follow no chains, write nothing, then give leases
  // back.
  world.onClose(() => membership.giveBack())
  world.onClose(() => engine.close())
  world.onClose(() => rescanning.close())
  world.onClose(() => followers.close())
  world.onClose(() => membership.close())
  await membership.start()
  return engine
}

/** Starts the HTTP server. Resolves with the port on which it listens. */
async function serve(world: World, built: Built): Promise<number> {
  const { store, engine, sandbox, chains, assets, policies, followers, pepper, kinds } = built
  const { config, clock } = world
  const secret = (name: string) => store.directory.secret(name, () => clock.random(secretBytes))
  const server = await createServer({
    ...{ ...world, ...config, ...built, store: store.events, directory: store.directory },
    keys: store.keys,
    payments: engine.payments,
    edge: { ...config.edge, connectionsMax: connectionsThatFit(config.edge.connectionsMax) },
    proveWrites: () => store.proveWrites(),
    publicUrl: (port) => config.publicUrl(port),
    chains: {
      ...{ assets, kinds, facts: chains, policy: policies.current },
      health: () => engine.watcher.chains().map(followers.withScores),
      onSight: (listener) => engine.watcher.onSight(listener),
      headOf: (chain) => engine.watcher.headOf(chain),
      paceOf: (chain) => engine.watcher.paceOf(chain),
      visibility: (payment) => engine.watcher.visibility(payment),
      explorerUrl: (name, txHash) =>
        explorerUrl(
          chains.find((chain) => chain.name === name),
          txHash,
        ),
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
  const { port } = await server.listen()
  return port
}

/** The sandbox's routes: its wallet, and a shop that only uses the public API. */
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

/** Writes one file with everything that programs need to use the sandbox, once it is ready. */
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

if (import.meta.main) await runProgram(root, start, process.argv.slice(2))
