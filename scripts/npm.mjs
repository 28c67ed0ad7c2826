/** Runs npm for the set-up, whichever there is, and says in plain words why it failed. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env, stderr } from 'node:process'

/** Set-up cannot go on; the message says what to do. */
export class SetupError extends Error {}

/** Someone pressed Ctrl-C, or asked the set-up to end in another way. */
export class Stopped extends Error {}

/** @param {string} text @returns {never} */
export function fail(text) {
  throw new SetupError(text)
}

/** What npm says, and what it means for whoever reads it. */
const complaints = [
  {
    said: /E(NOTFOUND|CONNREFUSED|CONNRESET|AI_AGAIN|TIMEDOUT|NETUNREACH|HOSTUNREACH)\b|ENOTCACHED/,
    means:
      'The npm registry cannot be reached, and set-up needs it once. Check the network, or point npm\n' +
      'at a mirror or proxy: npm config set registry …, npm config set proxy …',
  },
  {
    said: /SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|CERT_(UNTRUSTED|HAS)/,
    means:
      'Something between here and the npm registry uses a certificate of its own. Tell Node about it:\n' +
      'NODE_EXTRA_CA_CERTS=/path/to/its.pem npm start',
  },
  { said: /ENOSPC/, means: 'The disk is full. Set-up needs about 400 MB, for the tests 800 MB.' },
  { said: /EACCES|EPERM/, means: 'This user may not write here. Is the checkout somebody else’s?' },
]

/** A registry that is away is noticed within seconds; what is in npm's cache is not asked for again. */
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
 * Runs npm in `root`, calling `onTick` each second. Rejects with `SetupError`, or with `Stopped` when this
 * process was asked to end: npm has ended by then.
 * @param {{ root: string, args: readonly string[], onTick: () => void }} asked
 */
export async function runNpm({ root, args, onTick }) {
  // `npm start` tells which npm it is; under another runner there is one on the PATH.
  const cli = /npm-cli\.js$/.test(env.npm_execpath ?? '') ? [env.npm_execpath ?? ''] : []
  const child = spawn(
    cli.length > 0 ? process.execPath : 'npm',
    [...cli, ...args, ...quiet, ...patience, ...cacheIn(root)],
    {
      cwd: root,
      // What is left out is said by the arguments; under `production` npm would leave out more.
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

/** Without a home that can be written to, npm keeps its cache in the checkout. @param {string} root */
function cacheIn(root) {
  try {
    accessSync(homedir(), constants.W_OK)
    return []
  } catch {
    return [`--cache=${join(root, '.toolchain', 'npm-cache')}`]
  }
}
