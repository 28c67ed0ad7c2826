/**
 * A real EVM node for one test: anvil from npm, on loopback, on a port chosen by the kernel.
 * It ends with `stop()`, and with the test process, also when that is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:process'

export interface AnvilOptions {
  /** Seconds between blocks. Default: a block per transaction (automine). */
  readonly blockTime?: number
  /** The port, to reuse it after `kill9()`. Default: a free one. */
  readonly port?: number
  /** Further arguments of anvil, such as `--no-mining` or `--slots-in-an-epoch 4`. */
  readonly args?: readonly string[]
}

export interface Anvil {
  readonly rpcUrl: string
  readonly wsUrl: string
  readonly port: number
  readonly chainId: number
  /** Unlocked accounts with coin, in lower case, derived from anvil's well-known mnemonic. */
  readonly accounts: readonly string[]
  /** The result of one call. Rejects with the node's message when it answers an error. */
  rpc<Result = unknown>(method: string, params?: readonly unknown[]): Promise<Result>
  /** Ends it with SIGTERM and waits until it has exited. */
  stop(): Promise<void>
  /** Ends it with SIGKILL, like a power cut, and waits until it has exited. */
  kill9(): Promise<void>
}

const readyWithinMs = 20_000
const callWithinMs = 20_000

/** Starts anvil; resolves when it answers calls. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const child = launch([
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0)],
    ...(options.blockTime === undefined ? [] : ['--block-time', String(options.blockTime)]),
    ...(options.args ?? []),
  ])
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const { pid, port } = await announced(child, exited)
  const rpcUrl = `http://127.0.0.1:${port}`
  const rpc = async <Result>(method: string, params: readonly unknown[] = []): Promise<Result> =>
    // The caller names the documented result type of this method.
    (await call(rpcUrl, method, params)) as Result
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null) kill(pid, signal)
    await exited
  }
  return {
    rpcUrl,
    wsUrl: `ws://127.0.0.1:${port}`,
    port,
    chainId: Number(await rpc<string>('eth_chainId')),
    accounts: (await rpc<string[]>('eth_accounts')).map((address) => address.toLowerCase()),
    rpc,
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
  }
}

/**
 * A shell runs in between and holds the read end of a pipe to this process: when this process
 * dies, even by SIGKILL, the pipe ends and the shell kills anvil.
 */
const supervisor =
  'exec 3<&0; "$@" </dev/null & child=$!; exec 2>/dev/null; echo "pid $child"; ' +
  '(cat <&3 >/dev/null; kill -9 $child) >/dev/null 2>&1 & guard=$!; ' +
  'wait $child; code=$?; kill $guard 2>/dev/null; exit $code'

const launch = (args: readonly string[]): ChildProcess =>
  spawn('/bin/sh', ['-c', supervisor, 'anvil', anvilBinary(), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })

/** The platform's binary: the package's launcher script would be one more process to clean up. */
function anvilBinary(): string {
  const target = `anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  const fromAnvil = createRequire(
    createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'),
  )
  return fromAnvil.resolve(`@foundry-rs/${target}/bin/anvil`)
}

/** Parses the start-up text: the shell's line with the pid, and anvil's with the port. */
function announced(
  child: ChildProcess,
  exited: Promise<void>,
): Promise<{ pid: number; port: number }> {
  return new Promise((resolve, reject) => {
    let text = ''
    const late = setTimeout(() => reject(new Error('anvil was not ready in time')), readyWithinMs)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (text.length > 1_000_000) return
      text += chunk.toString()
      const pid = /^pid (\d+)$/m.exec(text)?.[1]
      const port = /^Listening on [^\n]*:(\d+)$/m.exec(text)?.[1]
      if (pid === undefined || port === undefined) return
      // From here on its output is read and dropped: a full pipe would block the node.
      text = ' '.repeat(1_000_001)
      clearTimeout(late)
      resolve({ pid: Number(pid), port: Number(port) })
    })
    void exited.then(() => {
      clearTimeout(late)
      reject(new Error(`anvil ended at once: ${text.slice(-2_000)}`))
    })
  })
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It exited between the check and the signal, which is fine.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function call(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(callWithinMs),
  })
  const answer: unknown = await response.json()
  if (typeof answer !== 'object' || answer === null) throw new Error(`${method}: no answer`)
  if ('error' in answer) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
  return 'result' in answer ? answer.result : null
}
