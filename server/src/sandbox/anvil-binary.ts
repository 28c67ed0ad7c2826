import { createRequire } from 'node:module'
import { arch, platform } from 'node:process'
import { Failure } from '@settlewire/core/errors'

/**
 * The platform's own binary. The launcher that npm links would be one more Node to start and to
 * lose, and a signal to it need not reach the chain.
 */
export function anvilBinary(): string {
  const target = `anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  try {
    const own = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    return createRequire(own).resolve(`@foundry-rs/${target}/bin/anvil`)
  } catch (cause) {
    throw new Failure(
      'invalid_config',
      `The local chain has no binary for this machine (@foundry-rs/${target}). Remove node_modules and start again, or set SANDBOX_RPC_URL or SANDBOX=off.`,
      { cause },
    )
  }
}
