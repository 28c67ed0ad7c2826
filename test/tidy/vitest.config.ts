import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** `npm run check` looks at the sources only, so it needs no database to be started for it. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/tidy/**/*.test.ts', 'test/docs/**/*.test.ts'],
    pool: 'threads',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
