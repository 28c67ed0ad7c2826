/**
 * Makes a checkout ready to run, with whatever Node (18 or later) and npm (9 or later) there is: the
 * Node that package.json pins, from npm, then the packages of package-lock.json. Done once per state
 * of these files; later calls only compare a hash and need no network.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { argv, env, exit, platform, stderr, versions } from 'node:process'
import { fileURLToPath } from 'node:url'
import { locked } from './lock.mjs'
import { fail, runNpm, SetupError } from './npm.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const toolchain = join(root, '.toolchain')
const stampFile = join(root, 'node_modules', '.settlewire-setup')
const manifests = ['package.json', 'package-lock.json']
const workspaces = ['core', 'server', 'client', 'cli', 'web']

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
  const first = dirname(node)
  runNpm({ root, args: ['install', '--no-save', '--include=dev', '--include=optional'], first })
  if (!runs(nodeIn(root), wanted)) {
    fail(`npm did not install Node ${wanted}. Are install scripts switched off (ignore-scripts)?`)
  }
  writeFileSync(stampFile, stamp)
  // It has done its work: the packages brought the same Node.
  rmSync(join(toolchain, 'node_modules'), { recursive: true, force: true })
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
  const where = ['--no-save', '--no-package-lock', '--prefix', toolchain]
  runNpm({ root, args: ['install', ...where, `node@${wanted}`], first: null })
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
