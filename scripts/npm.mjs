/** Runs npm of any version for the set-up, and explains in plain words why it failed. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env, stderr } from 'node:process'

/** Set-up cannot continue; the message says what to do. */
export class SetupError extends Error {}

/** The set-up was stopped by Ctrl-C or another signal. */
export class Stopped extends Error {}

/** @param {string} text @returns {never} */
export function fail(text) {
  throw new SetupError(text)
}

/** Error output of npm, and the explanation for the user. */
const complaints = [
  {
    said: /E(NOTFOUND|CONNREFUSED|CONNRESET|AI_AGAIN|TIMEDOUT|NETUNREACH|HOSTUNREACH)\b|ENOTCACHED/,
    means:
      'The npm registry cannot be reached, but set-up needs it once. Check the network, or point npm\n' +
      'at a mirror or proxy: npm config set registry …, npm config set proxy …',
  },
  {
    said: /SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|CERT_(UNTRUSTED|HAS)/,
    means:
      'A proxy between this machine and the npm registry uses its own certificate. Make Node trust it:\n' +
      'NODE_EXTRA_CA_CERTS=/path/to/its.pem npm start',
  },
  { said: /ENOSPC/, means: 'The disk is full. Set-up needs about 400 MB, for the tests 800 MB.' },
  {
    said: /EACCES|EPERM/,
    means: 'This user may not write here. Does the checkout belong to another user?',
  },
]

/** Detects an unreachable registry within seconds, and prefers packages in npm's cache. */
const patience = [
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
  '--prefer-offline',
]
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
const tickMs = 1_000
const errorCharactersMax = 1_000_000
const stopSignals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Runs npm in `root`, calling `onTick` each second. Rejects with `SetupError`, or with `Stopped`
 * when this process received a stop signal; npm has ended by then.
 * @param {{ root: string, args: readonly string[], onTick: () => void }} asked
 */
export async function runNpm({ root, args, onTick }) {
  // `npm start` passes the path of its npm; other runners use the npm on the PATH.
  const cli = /npm-cli\.js$/.test(env.npm_execpath ?? '') ? [env.npm_execpath ?? ''] : []
  const child = spawn(
    cli.length > 0 ? process.execPath : 'npm',
    [...cli, ...args, ...quiet, ...patience, ...cacheIn(root)],
    {
      cwd: root,
      // The arguments choose what to leave out; with `production` npm would leave out more.
      env: { ...env, NODE_ENV: 'development' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const { code, said, isStopped } = await ended(child, onTick)
  if (isStopped) throw new Stopped()
  if (code === 0) return
  stderr.write(`${said}\n`)
  const known = complaints.find((complaint) => complaint.said.test(said))
  fail(known?.means ?? 'npm install failed (see above). It is safe to try again.')
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => void} onTick
 * @returns {Promise<{ code: number | null, said: string, isStopped: boolean }>}
 */
function ended(child, onTick) {
  let said = ''
  let isStopped = false
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-errorCharactersMax)
  })
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    isStopped = true
    child.kill(signal)
  }
  for (const signal of stopSignals) process.on(signal, stop)
  const timer = setInterval(onTick, tickMs)
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearInterval(timer)
      for (const signal of stopSignals) process.off(signal, stop)
    }
    child.once('error', (error) => {
      settle()
      reject(new SetupError(`npm could not be started (${error.message}). Install npm 9 or later.`))
    })
    child.once('close', (code) => {
      settle()
      resolve({ code, said: said.trim(), isStopped })
    })
  })
}

/** Without a writable home directory, npm keeps its cache in the checkout. @param {string} root */
function cacheIn(root) {
  try {
    accessSync(homedir(), constants.W_OK)
    return []
  } catch {
    return [`--cache=${join(root, '.toolchain', 'npm-cache')}`]
  }
}
