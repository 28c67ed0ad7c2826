import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Anvil, startAnvil } from '../anvil.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'
import { MerchantProgram } from './merchant.ts'
import { type ServerProcess, startServer, temporaryHome } from './server.ts'

/** One process, a merchant's program that uses it, and its data directory. */
export interface Node {
  readonly server: ServerProcess
  readonly merchant: MerchantProgram
  readonly home: string
}

/** Processes on one database and one local chain. */
export class Nodes {
  readonly anvil: Anvil
  readonly database: TestDatabase
  readonly #homes: ReturnType<typeof temporaryHome>[] = []
  readonly #nodes: Node[] = []

  private constructor(anvil: Anvil, database: TestDatabase) {
    this.anvil = anvil
    this.database = database
  }

  static async begin(): Promise<Nodes> {
    const [anvil, database] = await Promise.all([
      startAnvil({ args: ['--block-time', '1', '--slots-in-an-epoch', '4'] }),
      testDatabase(),
    ])
    return new Nodes(anvil, database)
  }

  /** The environment that each process is started with. */
  get env(): Readonly<Record<string, string>> {
    return { DATABASE_URL: this.database.url, SANDBOX_RPC_URL: this.anvil.wsUrl }
  }

  /** A data directory that is removed with the nodes. */
  home(): string {
    const home = temporaryHome()
    this.#homes.push(home)
    return home.path
  }

  /** Starts another process with the same pepper and the same merchant. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<Node> {
    const [first] = this.#homes
    const home = this.home()
    if (first !== undefined) {
      for (const file of ['pepper', 'demo.json']) {
        copyFileSync(join(first.path, file), join(home, file))
      }
    }
    const server = await startServer({ home, env: { ...this.env, ...env } })
    const node = { server, home, merchant: new MerchantProgram(server.url, server.sandbox) }
    this.#nodes.push(node)
    return node
  }

  async end(): Promise<void> {
    for (const { server } of this.#nodes.reverse()) await server.stop()
    await Promise.all([this.anvil.stop(), this.database.close()])
    for (const home of this.#homes) home.remove()
  }
}
