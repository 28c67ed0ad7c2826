import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The simulation takes every core for minutes: beside it, what waits for real time would be late. */
class SimulationLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isSimulation = ({ moduleId }: TestSpecification) => moduleId.includes('/test/simulation/')
    return [...sorted.filter((file) => !isSimulation(file)), ...sorted.filter(isSimulation)]
  }
}

export default defineConfig({
  test: {
    include: ['{core,server,client,cli,web}/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // The compiled sources of programs that tests start, kept as by `npm start`.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.toolchain', 'compile-cache') },
    pool: 'forks',
    // A process runs one file after the other, so that it loads and compiles the sources once. Files
    // stay independent: `src` keeps no state in modules but caches of what a text says.
    isolate: false,
    maxWorkers: 2,
    sequence: { sequencer: SimulationLast },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
