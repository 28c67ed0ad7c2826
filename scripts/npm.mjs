/** Runs npm for the set-up, whichever there is, and says in plain words why it failed. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { env, stderr } from 'node:process'

/** Set-up cannot go on; the message says what to do. */
export class SetupError extends Error {}

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
  { said: /ENOSPC/, means: 'The disk is full. Set-up needs about 1 GB.' },
  { said: /EACCES|EPERM/, means: 'This user may not write here. Is the checkout somebody else’s?' },
]

/** A registry that is away is noticed within seconds. */
const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']

/**
 * Runs npm in `root`, on the Node in the directory `first` when one is given. Throws `SetupError`.
 * @param {{ root: string, args: readonly string[], first: string | null }} asked
 */
export function runNpm({ root, args, first }) {
  // `npm start` tells which npm it is; under another runner there is one on the PATH.
  const cli = /npm-cli\.js$/.test(env.npm_execpath ?? '') ? [env.npm_execpath ?? ''] : []
  const node = first === null ? process.execPath : join(first, 'node')
  const { status, error, ...output } = spawnSync(
    cli.length > 0 ? node : 'npm',
    [...cli, ...args, ...quiet, ...patience, ...cacheIn(root)],
    {
      cwd: root,
      // Under `production` npm would leave out what the checkout is built and tested with.
      env: { ...env, NODE_ENV: 'development', PATH: pathWith(first) },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  if (error) fail(`npm could not be started (${error.message}). Install npm 9 or later.`)
  if (status === 0) return
  const said = output.stderr.trim()
  stderr.write(`${said}\n`)
  const known = complaints.find((complaint) => complaint.said.test(said))
  fail(known?.means ?? 'npm install failed (see above). It is safe to try again.')
}

/** @param {string | null} first */
const pathWith = (first) => (first === null ? env.PATH : `${first}${delimiter}${env.PATH}`)

/** Without a home that can be written to, npm keeps its cache in the checkout. @param {string} root */
function cacheIn(root) {
  try {
    accessSync(homedir(), constants.W_OK)
    return []
  } catch {
    return [`--cache=${join(root, '.toolchain', 'npm-cache')}`]
  }
}
