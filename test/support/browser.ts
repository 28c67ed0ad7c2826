import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const installed = [
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

interface Binary {
  readonly executablePath: string
  readonly env: Record<string, string>
}

let found: Promise<Binary> | undefined

/**
 * A real headless Chromium with a profile of its own, which is removed on close: the installed
 * browser, or else the one from npm. Works as root and beside other instances. Close it.
 */
export async function launchBrowser(): Promise<Browser> {
  found ??= findBinary()
  const { executablePath, env } = await found
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    // As root, Chromium cannot create its sandbox; tests open only our own pages.
    chromiumSandbox: false,
    args: ['--font-render-hinting=none', '--disable-gpu', '--disable-dev-shm-usage'],
  })
}

async function findBinary(): Promise<Binary> {
  const executablePath = installed.find(existsSync)
  return executablePath === undefined ? unpackOnce() : { executablePath, env: {} }
}

/** Unpacks beside the target and renames, so that two test processes may do it at the same time. */
async function unpackOnce(): Promise<Binary> {
  const packagePath = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const root = join(import.meta.dirname, '../../.toolchain')
  const { version } = createRequire(import.meta.url)(
    join(dirname(packagePath), '../package.json'),
  ) as { version: string } // written by npm
  const home = join(root, `chromium-${version}`)
  if (!existsSync(home)) {
    await mkdir(root, { recursive: true })
    const staging = await mkdtemp(join(root, 'unpacking-'))
    await unpackInto(staging, packagePath)
    await rename(staging, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await rm(staging, { recursive: true, force: true })
  }
  await writeFile(join(home, 'fonts.conf'), fontConfig(home))
  const env = { FONTCONFIG_FILE: join(home, 'fonts.conf') }
  const executablePath = join(home, 'chromium')
  return { executablePath, env: { ...env, ...missingLibraries(executablePath, home) } }
}

/** The package unpacks into its process's temporary directory, so it runs in its own process. */
async function unpackInto(directory: string, packagePath: string): Promise<void> {
  const script = `import(process.argv[1]).then((m) => m.default.executablePath())`
  await promisify(execFile)(process.execPath, ['-e', script, packagePath], {
    // Only for this environment does it unpack the libraries that minimal images lack.
    env: { ...process.env, TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
  })
}

/** The bundled libraries, used only where the browser does not start with those of the system. */
function missingLibraries(executablePath: string, home: string): Record<string, string> {
  try {
    execFileSync(executablePath, ['--version'], { stdio: 'ignore' })
    return {}
  } catch {
    // It did not start, so libraries are missing.
    return { LD_LIBRARY_PATH: join(home, 'al2023/lib') }
  }
}

/** One font for every machine, so that screenshots look the same everywhere. */
const fontConfig = (home: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(home, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(home, 'fonts-cache')}</cachedir>
  ${alias('sans-serif', 'Open Sans')}
  ${alias('system-ui', 'Open Sans')}
  ${alias('monospace', 'DejaVu Sans Mono')}
</fontconfig>
`

const alias = (name: string, face: string): string =>
  `<alias binding="strong"><family>${name}</family><prefer><family>${face}</family></prefer></alias>`
