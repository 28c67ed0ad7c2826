/**
 * Ends the process after its work, when everything is closed. Without it, Node's own exit looped
 * forever one time in ten on a busy machine, over a socket that was still closing. Output to files,
 * terminals and pipes is synchronous, so nothing of it is lost.
 */
export const endProcess = (code: number): never => process.exit(code)
