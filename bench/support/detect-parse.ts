/** The baseline for detection: `ws` and `JSON.parse`, without using the result. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { answerParent } from './child-program.ts'
import { cpuMicros } from './process-usage.ts'

let parsed = 0
let wanted = Number.POSITIVE_INFINITY
let enough: (() => void) | null = null
let last: unknown = null

async function open({ port }: { port: number }): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/parse`, { perMessageDeflate: false })
  socket.on('message', (data) => {
    last = JSON.parse(data.toString())
    if (++parsed >= wanted) enough?.()
  })
  await once(socket, 'open')
}

/** Resets the counter and sets the number of expected messages. */
function expect(messages: number): void {
  parsed = 0
  wanted = messages
}

/** Resolves when all messages were parsed. */
async function all(): Promise<number> {
  if (parsed < wanted) {
    await new Promise<void>((resolve) => {
      enough = resolve
    })
  }
  return last === null ? 0 : parsed
}

const answers = { open, expect, all, cpu: cpuMicros }
export type DetectParse = typeof answers
answerParent(answers)
