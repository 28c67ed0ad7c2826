import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Html } from '../../html.ts'
import { type GuideName, guideList, guides } from './guide-list.ts'
import { readerLayout } from './layout.ts'
import { guideHtml } from './markdown.ts'

const root = join(import.meta.dirname, '../../../..')

/** The address of the sandbox in the tutorial: that of the usual port. */
const usualOrigin = 'http://127.0.0.1:8080'

/** A guide of the project as a page. The tutorial has the addresses of this server, at `origin`. */
export async function guidePage(name: GuideName, origin: string): Promise<Html> {
  const { file, title } = guides[name]
  const written = await readFile(join(root, file), 'utf8')
  // Other guides write this address for the server behind a proxy, where it stays the same.
  const text = name === 'start' ? written.replaceAll(usualOrigin, origin) : written
  return readerLayout(`${title} · Settlewire`, {
    main: guideHtml(file, text),
    menu: guideList(name),
  })
}
