import type { Hearer } from './channel.ts'

/** The part of a `Response` that the client uses, filled while the answer arrives. */
export class AnswerBody implements Hearer {
  readonly #settle: PromiseWithResolvers<Response>
  readonly #pieces: Uint8Array[] = []
  readonly #hangUp: () => void
  #wanted: PromiseWithResolvers<{ done: boolean; value: Uint8Array | undefined }> | null = null
  #isWhole = false
  #error: unknown = null

  constructor(settle: PromiseWithResolvers<Response>, hangUp: () => void) {
    this.#settle = settle
    this.#hangUp = hangUp
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    const response = {
      ...{ status, ok: status >= 200 && status < 300 },
      headers: { get: (name: string) => headers[name] ?? null },
      body: {
        getReader: () => ({ read: () => this.#read(), cancel: async () => this.#cancel() }),
        cancel: async () => this.#cancel(),
      },
      text: () => this.#text(),
      json: async () => JSON.parse(await this.#text()),
    }
    // The client's own code uses no other member.
    this.#settle.resolve(response as unknown as Response)
  }

  bytes(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#serve()
  }

  end(): void {
    this.#isWhole = true
    this.#serve()
  }

  broken(): void {
    this.fail(new TypeError('the connection broke'))
  }

  fail(error: unknown): void {
    this.#error ??= error
    this.#settle.reject(error)
    this.#serve()
  }

  #read(): Promise<{ done: boolean; value: Uint8Array | undefined }> {
    this.#wanted = Promise.withResolvers()
    const { promise } = this.#wanted
    this.#serve()
    return promise
  }

  #serve(): void {
    const wanted = this.#wanted
    if (wanted === null) return
    const piece = this.#pieces.shift()
    if (piece !== undefined) wanted.resolve({ done: false, value: piece })
    else if (this.#error !== null) wanted.reject(this.#error)
    else if (this.#isWhole) wanted.resolve({ done: true, value: undefined })
    else return
    this.#wanted = null
  }

  async #text(): Promise<string> {
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await this.#read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
    }
  }

  #cancel(): void {
    if (!this.#isWhole) this.#hangUp()
  }
}
