/** `npm test`: sets up, builds the pages, runs all test suites, and lists the skipped tests. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { argv, env, exit } from 'node:process'
import { needsBuild } from './pages.mjs'
import { installed, run } from './run.mjs'
import { root, withSetup } from './setup.mjs'

const report = join(root, '.artifacts', `tests-${process.pid}.json`)

await withSetup(
  async (node) => {
    const built = needsBuild() ? await run(node, ['scripts/build.ts']) : 0
    if (built !== 0) exit(built)
    mkdirSync(join(root, '.artifacts'), { recursive: true })
    const code = await run(node, [
      ...[installed('vitest/vitest.mjs'), 'run', '--reporter=default'],
      ...['--reporter=json', `--outputFile.json=${report}`, ...argv.slice(2)],
    ])
    exit(summarize() || code)
  },
  { tools: true },
)

/** Prints the closing lines. A missing report means that no test ran, which is a failure. */
function summarize() {
  let results
  try {
    results = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    console.log('The tests did not run.')
    return 1
  }
  rmSync(report, { force: true })
  const { numPassedTests: passed, numFailedTests: failed, numTotalTests: total } = results
  const skipped = total - passed - failed
  if (skipped > 0) {
    console.log(`\nSkipped:`)
    for (const file of results.testResults) {
      for (const test of file.assertionResults) {
        if (test.status !== 'passed' && test.status !== 'failed') console.log(`  ${test.fullName}`)
      }
    }
  }
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  if (total === 0) return 1
  // A filter by name skips tests on purpose; a whole run in CI must not skip any.
  return env.CI && skipped > 0 && argv.length === 2 ? 1 : 0
}
