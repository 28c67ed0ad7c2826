/**
 * Builds the pages into web/dist. A build is made beside the old one and replaces it when it is
 * complete, so a running server never serves half of a build. Several processes take turns, and one
 * that finds the pages up to date builds nothing.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { locked } from './lock.mjs'
import { dist, needsBuild, stampOfSources } from './pages.mjs'
import { root } from './setup.mjs'

const web = join(root, 'web')

await locked(join(root, '.toolchain', 'build.lock'), {}, async () => {
  if (!process.argv.includes('--force') && !needsBuild()) {
    console.log('The pages are up to date.')
    return
  }
  const fresh = join(root, '.artifacts', 'pages-new')
  const old = join(root, '.artifacts', 'pages-old')
  for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true })
  const stamp = stampOfSources()
  await build({
    root: web,
    configFile: join(web, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: fresh, emptyOutDir: true },
  })
  writeFileSync(join(fresh, '.stamp'), stamp)
  mkdirSync(join(root, '.artifacts'), { recursive: true })
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
  console.log('The pages are built.')
})
