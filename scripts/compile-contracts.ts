/**
 * Compiles the sandbox's contracts with the `solc` of package-lock.json and fixed settings, so that
 * the same source gives the same bytes on every machine. Run it after changing a `.sol` file; a
 * test compares the committed artifacts with its output.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { getContractAddress } from 'viem'

const sandbox = new URL('../server/src/sandbox/', import.meta.url)

/** The contracts of the sandbox. Source and artifact files have these names. */
export const contracts = [
  'TestUSDC',
  'TestBridgedUSDC',
  'TestToll',
  'TestPayer',
  'TestMulticall',
] as const

/** The committed artifact of a contract. */
export interface Artifact {
  readonly contract: string
  readonly compiler: string
  /** SHA-256 of its own source file, hex. */
  readonly sourceHash: string
  readonly abi: readonly unknown[]
  /** Deployment code, hex with 0x. */
  readonly bytecode: string
  /** The address at which the CREATE2 factory deploys this code with salt 0, in lower case. */
  readonly address: string
}

interface CompilerOutput {
  readonly errors?: readonly { severity: string; formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<string, Record<string, { abi: unknown[]; evm: { bytecode: { object: string } } }>>
  >
}

/** The CREATE2 factory at this address on anvil and most public chains (Arachnid's). */
const factory = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const salt = `0x${'00'.repeat(32)}` as const

const settings = {
  // Without the metadata hash the bytes depend only on the source.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  optimizer: { enabled: true, runs: 1_000 },
  evmVersion: 'paris',
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
}

/** The path of a contract's committed artifact. */
export const artifactUrl = (contract: string): URL => new URL(`artifacts/${contract}.json`, sandbox)

let compiled: CompilerOutput | undefined

/** Compiles all sources in one run: they may import each other, and the compiler loads slowly. */
function compileAll(sources: Record<string, { content: string }>): CompilerOutput {
  const solc = createRequire(import.meta.url)('solc')
  const input = { language: 'Solidity', sources, settings }
  // The compiler's version is pinned, so its output has the documented form.
  return JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput
}

/** Compiles one contract. Warnings fail the compilation as errors do. */
export function compile(contract: string): Artifact {
  const solc = createRequire(import.meta.url)('solc')
  const file = `${contract}.sol`
  const sources = readSources()
  compiled ??= compileAll(sources)
  const output = compiled
  if (output.errors?.length) {
    throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'))
  }
  const made = output.contracts?.[file]?.[contract]
  if (!made) throw new Error(`${file} contains no contract named ${contract}`)
  const bytecode = `0x${made.evm.bytecode.object}` as const
  const address = getContractAddress({ opcode: 'CREATE2', from: factory, salt, bytecode })
  return {
    contract,
    compiler: solc.version(),
    sourceHash: createHash('sha256')
      .update(sources[file]?.content ?? '')
      .digest('hex'),
    abi: made.abi,
    bytecode,
    address: address.toLowerCase(),
  }
}

/** Reads all sources. Sources that a contract does not use do not change its bytes. */
function readSources(): Record<string, { content: string }> {
  const folder = new URL('contracts/', sandbox)
  return Object.fromEntries(
    readdirSync(folder).map((file) => [
      file,
      { content: readFileSync(new URL(file, folder), 'utf8') },
    ]),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const contract of contracts) {
    const artifact = compile(contract)
    writeFileSync(artifactUrl(contract), `${JSON.stringify(artifact, null, 2)}\n`)
    console.log(`${contract}: compiled, ${artifact.address} by CREATE2`)
  }
}
