/**
 * What a program that a test starts inherits: nothing but where to find programs, and Node's cache
 * of compiled sources (`vitest.config.ts`), which halves the time that a start takes.
 */
export function programEnv(): { PATH: string; HOME: string; NODE_COMPILE_CACHE: string } {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE }
}
