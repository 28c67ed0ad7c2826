import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** `settlewire …`, run as a shell does, with only the given environment. */
export class CliRun {
  readonly #child
  readonly #closed: Promise<unknown[]>
  out = ''
  err = ''

  constructor(
    line: readonly string[],
    where: { readonly env?: Readonly<Record<string, string>>; readonly cwd: string },
  ) {
    const main = join(import.meta.dirname, '../../cli/src/main.ts')
    this.#child = spawn(process.execPath, [main, ...line], { env: {}, ...where })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout.on('data', (data) => {
      this.out += String(data)
    })
    this.#child.stderr.on('data', (data) => {
      this.err += String(data)
    })
  }

  async ended(): Promise<this & { code: number }> {
    const [code] = await this.#closed
    return Object.assign(this, { code: Number(code) })
  }

  async until(what: RegExp): Promise<void> {
    while (!what.test(this.out + this.err)) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }
}
