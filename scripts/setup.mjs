/**
 * Makes a checkout ready to run, with whatever Node (18 or later) and npm (9 or later) there is: the
 * Node that package.json pins, from npm, then the packages of package-lock.json. Done once per state
 * of these files; later calls only compare a hash and need no network.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { argv, env, exit, platform, stderr, versions } from 'node:process'
import { fileURLToPath } from 'node:url'
import { locked } from './lock.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const toolchain = join(root, '.toolchain')
const stampFile = join(root, 'node_modules', '.settlewire-setup')
const manifests = ['package.json', 'package-lock.json']
const workspaces = ['core', 'server', 'client', 'cli', 'web']

/** What npm says when it cannot get at the registry at all. */
const unreachable =
  /E(NOTFOUND|CONNREFUSED|CONNRESET|AI_AGAIN|TIMEDOUT|NETUNREACH|HOSTUNREACH)\b|ENOTCACHED/

/**
 * Does what is left to do and returns the path of the pinned Node. Safe when several start at once:
 * one works, the others wait for it.
 */
export async function setup() {
  const stamp = stampOf()
  if (isDone(stamp)) return nodeIn(root)
  await locked(join(toolchain, 'setup.lock'), { onWait }, () => {
    if (!isDone(stamp)) install(stamp)
  })
  return nodeIn(root)
}

/** The environment in which the pinned Node, and what the packages bring, come first. */
export const environment = () => ({
  ...env,
  PATH: [dirname(nodeIn(root)), join(root, 'node_modules', '.bin'), env.PATH].join(delimiter),
})

/** @param {string} base */
const nodeIn = (base) =>
  join(base, 'node_modules', 'node', 'bin', platform === 'win32' ? 'node.exe' : 'node')

const onWait = () => say('Another process is setting this checkout up; waiting for it …')

/** @param {string} text */
const say = (text) => stderr.write(`${text}\n`)

function stampOf() {
  const hash = createHash('sha256').update(`${platform} ${process.arch}`)
  const files = [...manifests, ...workspaces.map((name) => join(name, 'package.json'))]
  for (const file of files) {
    hash.update(`\n${file}\n`)
    if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** @param {string} stamp */
const isDone = (stamp) =>
  existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && existsSync(nodeIn(root))

/** @param {string} stamp */
function install(stamp) {
  const startedAt = Date.now()
  // Whatever happens from here on, a half-done state must not look done.
  rmSync(stampFile, { force: true })
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node
  const node = pinnedNode(wanted)
  say('Installing packages (once; later starts need no network) …')
  // Not `npm ci`: a lock file made on one platform may lack the binaries of another, and `ci` would
  // not look for them.
  npm(['install', '--no-save', '--include=dev', '--include=optional'], dirname(node))
  if (!runs(nodeIn(root), wanted)) {
    fail(`npm did not install Node ${wanted}. Are install scripts switched off (ignore-scripts)?`)
  }
  writeFileSync(stampFile, stamp)
  say(`Ready after ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

/**
 * The pinned Node, before the packages are there: npm chooses versions by the Node it runs on, and an
 * old one would silently get old packages.
 * @param {string} wanted
 */
function pinnedNode(wanted) {
  if (versions.node === wanted) return process.execPath
  for (const base of [root, toolchain]) if (runs(nodeIn(base), wanted)) return nodeIn(base)
  say(`Installing Node ${wanted} (this one is ${versions.node}) …`)
  mkdirSync(toolchain, { recursive: true })
  const manifest = { private: true, allowScripts: { node: true } }
  writeFileSync(join(toolchain, 'package.json'), JSON.stringify(manifest))
  npm(['install', '--no-save', '--no-package-lock', '--prefix', toolchain, `node@${wanted}`])
  if (!runs(nodeIn(toolchain), wanted)) {
    fail(`npm did not install Node ${wanted}. Are install scripts switched off (ignore-scripts)?`)
  }
  return nodeIn(toolchain)
}

/** @param {string} node @param {string} wanted */
function runs(node, wanted) {
  if (!existsSync(node)) return false
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === `v${wanted}`
}

/**
 * Runs npm, by the Node in `first` when one is given.
 * @param {string[]} args
 * @param {string} [first]
 */
function npm(args, first) {
  const cli = env.npm_execpath
  // `npm start` tells which npm it is; under another runner there is one on the PATH.
  const own = cli && /npm-cli\.js$/.test(cli) ? cli : null
  const path = first ? `${first}${delimiter}${env.PATH}` : env.PATH
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ]
  const {
    status,
    error,
    stderr: said,
  } = spawnSync(
    own ? (first ? join(first, 'node') : process.execPath) : 'npm',
    [...(own ? [own] : []), ...args, ...quiet, ...cacheArgs()],
    {
      cwd: root,
      env: { ...env, PATH: path, NODE_ENV: 'development' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  if (error) fail(`npm could not be started (${error.message}). Install npm 9 or later.`)
  if (status === 0) return
  say(said.trim())
  if (unreachable.test(said)) {
    fail(
      'The npm registry cannot be reached, and set-up needs it once. Check the network, or point npm\n' +
        'at a mirror or proxy: npm config set registry …, npm config set proxy …',
    )
  }
  fail(`npm ${args[0]} failed (see above). Nothing was started; it is safe to try again.`)
}

/** Without a home that can be written to, npm keeps its cache here. */
function cacheArgs() {
  try {
    accessSync(homedir(), constants.W_OK)
    return []
  } catch {
    return [`--cache=${join(toolchain, 'npm-cache')}`]
  }
}

/** @param {string} text @returns {never} */
function fail(text) {
  throw new SetupError(text)
}

class SetupError extends Error {}

/**
 * The entry of every script: does the set-up, or says in plain words why it cannot.
 * @param {(node: string) => void | Promise<void>} then
 */
export async function withSetup(then) {
  try {
    await then(await setup())
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`\nSet-up did not finish. ${error.message}`)
    exit(1)
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) await withSetup(() => undefined)
