import { dirname, join } from 'node:path/posix'
import { isTest, type Source, type Violation } from './source.ts'

interface Zone {
  readonly name: string
  readonly holds: RegExp
  /** Other zones it may name. Its own files it always may. */
  readonly may: readonly string[]
  /** Whether it may use what Node brings. */
  readonly node: boolean
  /** Packages it may use; null: any. */
  readonly packages: readonly string[] | null
}

const shell =
  'command-line|config|chain-config|edge-limits|edge-limit-table|open-files|setting-text|clock|log|metrics|child|end-process|scrub|whole-file|credential|pepper|receiving-key|evm-address|html'
const adapters = ['store', 'backplane', 'chain', 'provider', 'webhook', 'sandbox']

/**
 * Who may know whom. The first zone that holds a path is its zone; a path in no zone is a violation
 * of its own, so that a new folder needs a line here.
 */
export const zones: readonly Zone[] = [
  zone('core', /^core\/src\//, { may: [], packages: [] }),
  zone('ports', /^server\/src\/(ports\/|chain\/kind\.ts$)/, {
    may: ['core'],
    packages: [],
  }),
  zone('engine', /^server\/src\/engine\//, { may: ['ports', 'core'], packages: ['lru-cache'] }),
  zone('shell', new RegExp(`^server/src/(${shell})\\.ts$`), { may: ['ports', 'core'], node: true }),
  ...adapters.map((name) =>
    zone(name, new RegExp(`^server/src/${name}/`), { may: ['ports', 'core', 'shell'], node: true }),
  ),
  zone('http', /^server\/src\/http\//, { may: ['engine', 'ports', 'core', 'shell'], node: true }),
  zone('registry', /^server\/src\/(registry\/|define-config\.ts$)/, {
    may: ['ports', 'core', 'shell'],
    node: true,
  }),
  zone(
    'main',
    /^server\/src\/((main|program|merchant|key|audit|rescan)\.ts$|compose\/|operator\/)/,
    {
      may: ['registry', 'http', 'engine', 'ports', 'core', 'shell', ...adapters],
      node: true,
    },
  ),
  zone('client', /^client\/src\//, { may: ['core'], packages: ['eventsource-parser', 'react'] }),
  zone('cli', /^cli\/src\//, { may: ['client', 'core'], node: true, packages: [] }),
  zone('web', /^web\/src\//, {
    may: ['client', 'core'],
    packages: ['react', 'react-dom', 'preact', 'uqr', 'vite'],
  }),
  zone('examples', /^examples\//, { may: ['client', 'core'], node: true }),
  zone('tooling', /^(scripts|bench|test|cli\/bin|[^/]+\.ts$|web\/vite\.config\.ts$)/, {
    may: [
      'core',
      'ports',
      'engine',
      'shell',
      ...adapters,
      'registry',
      'http',
      'main',
      'client',
      'cli',
      'web',
    ],
    node: true,
  }),
]

function zone(
  name: string,
  holds: RegExp,
  { may, node = false, packages = null }: Pick<Zone, 'may'> & Partial<Zone>,
): Zone {
  return { name, holds, may, node, packages }
}

/** Folders that stand on one another: each may know those before it, and `evm-chain.ts`, which they go by. */
const evmFolder = 'server/src/chain/evm/'
const evmRungs = ['node', 'block', 'native', 'mempool', 'provider', 'ballot', 'walk']
const evmShared = `${evmFolder}evm-chain.ts`

const zoneOf = (path: string): Zone | null => zones.find(({ holds }) => holds.test(path)) ?? null

/** The file a request leads to, or null for packages. Workspaces are named `@settlewire/<name>/<file>`. */
export function resolve(from: string, request: string): string | null {
  const [, workspace, file] = /^@settlewire\/([a-z]+)\/(.+)$/.exec(request) ?? []
  if (workspace !== undefined) return `${workspace}/src/${file}.ts`
  return request.startsWith('.') ? join(dirname(from), request.replace(/\?.*$/, '')) : null
}

/** Imports that go up, or aside, or out of what a layer may know. */
export function layerViolations(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    if (isTest(source.path)) return []
    const here = zoneOf(source.path)
    const say = (says: string): Violation => ({ path: source.path, line: 1, says })
    if (here === null) return [say('is in no layer: add its folder to test/tidy/layers.ts')]
    return source.requests.flatMap((request) => {
      const refused = refuse(source.path, here, request)
      return refused === null ? [] : [say(`imports ${request}: ${refused}`)]
    })
  })
}

function refuse(path: string, here: Zone, request: string): string | null {
  const target = resolve(path, request)
  if (target === null) return refusePackage(here, request)
  if (isTest(target) && here.name !== 'tooling') return 'code never imports tests'
  if (/\.(css|svg|json)$/.test(target)) return null
  const there = zoneOf(target)
  if (there === null) return 'it is in no layer'
  if (
    request.startsWith('.') &&
    workspaceOf(path) !== workspaceOf(target) &&
    here.name !== 'tooling'
  )
    return 'another workspace is named by its package'
  if (target.startsWith(evmFolder) && target !== evmShared && rungOf(path) < rungOf(target)) {
    return `${evmRungs[rungOf(path)]} may know ${evmRungs.slice(0, rungOf(path)).join(', ') || 'no other folder of chain/evm'}`
  }
  if (there === here || here.may.includes(there.name)) return null
  return `${here.name} may know ${here.may.join(', ') || 'nothing else'}`
}

/** Where a file stands in `chain/evm`: what lies beside the folders, and outside, stands on all of them. */
function rungOf(path: string): number {
  const rung = evmRungs.findIndex((name) => path.startsWith(`${evmFolder}${name}/`))
  return rung < 0 ? evmRungs.length : rung
}

function refusePackage(here: Zone, request: string): string | null {
  if (request.startsWith('node:')) return here.node ? null : `${here.name} does without Node`
  const name = request.startsWith('@')
    ? request.split('/', 2).join('/')
    : (request.split('/', 1)[0] ?? '')
  if (here.packages === null || here.packages.includes(name)) return null
  return `${here.name} may use ${here.packages.join(', ') || 'no package'}`
}

const workspaceOf = (path: string): string => path.split('/', 1)[0] ?? ''

/** Circles of imports, types included: each is told once, from its first file. */
export function cycleViolations(sources: readonly Source[]): Violation[] {
  const graph = new Map(
    sources.map(({ path, requests }) => [
      path,
      requests.map((request) => resolve(path, request)).filter((target) => target !== null),
    ]),
  )
  const found: Violation[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path)
    if (start >= 0) {
      const circle = [...way.slice(start), path].join(' → ')
      found.push({ path, line: 1, says: `imports itself: ${circle}` })
      return
    }
    if (done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}
