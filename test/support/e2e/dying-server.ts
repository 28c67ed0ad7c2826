/**
 * The real server with a backplane that kills the process when an event of type `DIE_AT` is
 * committed and not yet announced: a moment that no signal from outside can hit reliably.
 */

import { join } from 'node:path'
import { shortType } from '@settlewire/core/payment/event-text'
import { MemoryBackplane } from '../../../server/src/backplane/memory.ts'
import { readConfig } from '../../../server/src/config.ts'
import { start } from '../../../server/src/main.ts'
import type { Backplane } from '../../../server/src/ports/topic.ts'

const { DIE_AT, ...environment } = process.env
const root = join(import.meta.dirname, '../../..')

const running = await start(readConfig(root, environment), {
  backplane(log): Backplane {
    const real = new MemoryBackplane(log)
    return {
      announce(hint) {
        if (hint.events?.some(({ type }) => shortType(type) === DIE_AT)) {
          process.kill(process.pid, 'SIGKILL')
        }
        real.announce(hint)
      },
      subscribe: (topic, listener) => real.subscribe(topic, listener),
      prove: (signal) => real.prove(signal),
      close: () => real.close(),
    }
  },
})
process.stdout.write(`Settlewire is ready: ${running.url}\n`)
