/** The packages that npm will install here by package-lock.json, for the progress of the set-up. */

/**
 * @typedef {{ platform: string, arch: string, libc: string }} Machine
 * @typedef {{ link?: boolean, dev?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Entry
 */

/**
 * The folders of the packages of a lock file once they are installed.
 * @param {{ packages: Record<string, Entry> }} lock
 * @param {Machine & { tools: boolean }} how tools: also the packages for tests and checks
 * @returns {string[]}
 */
export function foldersOf(lock, { tools, ...machine }) {
  return Object.entries(lock.packages)
    .filter(
      ([path, { link, dev }]) => /(^|\/)node_modules\//.test(path) && !link && (tools || !dev),
    )
    .filter(([, entry]) => fits(entry, machine))
    .map(([path]) => path)
}

/** @param {Entry} entry @param {Machine} machine */
const fits = ({ os, cpu, libc }, machine) =>
  (os === undefined || os.includes(machine.platform)) &&
  (cpu === undefined || cpu.includes(machine.arch)) &&
  (libc === undefined || libc.includes(machine.libc))

/**
 * The path of Node in npm's package for a machine.
 * @param {Pick<Machine, 'platform' | 'arch'>} machine
 */
export function nodeBinary({ platform, arch }) {
  const isWindows = platform === 'win32'
  const name = `node-${isWindows ? 'win' : platform}-${arch}`
  return { name, path: `${name}/bin/${isWindows ? 'node.exe' : 'node'}` }
}
