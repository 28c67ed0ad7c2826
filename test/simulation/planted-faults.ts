import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A deliberate fault, in memory only, to check that the simulation detects it. */
export interface PlantedFault {
  readonly name: string
  readonly breaks: string
  readonly edits: readonly {
    readonly file: string
    /** Must occur in the file exactly once. */
    readonly find: string
    readonly replace: string
  }[]
}

const root = join(import.meta.dirname, '../..')

/** Patches the sources while they are loaded; must be called before any of them is loaded. */
export function plant(fault: PlantedFault): void {
  const edits = new Map<string, PlantedFault['edits']>()
  for (const edit of fault.edits) {
    const url = pathToFileURL(join(root, edit.file)).href
    edits.set(url, [...(edits.get(url) ?? []), edit])
    // Fails now, and not in the middle of a run, if the edit does not fit the source.
    patched(edit.file, [edit])
  }
  registerHooks({
    load(url, context, nextLoad) {
      const wanted = edits.get(url)
      if (wanted === undefined) return nextLoad(url, context)
      const [{ file } = { file: '' }] = wanted
      return { format: 'module-typescript', source: patched(file, wanted), shortCircuit: true }
    },
  })
}

/** The source with the fault. Throws if the text of an edit does not occur exactly once. */
export function patched(file: string, edits: PlantedFault['edits']): string {
  let text = readFileSync(join(root, file), 'utf8')
  for (const { find, replace } of edits) {
    const times = text.split(find).length - 1
    if (times !== 1) throw new Error(`${file} contains this text ${times} times, not once: ${find}`)
    text = text.replace(find, () => replace)
  }
  return text
}
