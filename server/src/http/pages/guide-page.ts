import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Html } from '../../html.ts'
import { type GuideName, guideList, guides } from './guide-list.ts'
import { readerLayout } from './layout.ts'
import { guideHtml } from './markdown.ts'

const root = join(import.meta.dirname, '../../../..')

/** A guide of the project as a page. */
export async function guidePage(name: GuideName): Promise<Html> {
  const { file, title } = guides[name]
  const text = await readFile(join(root, file), 'utf8')
  return readerLayout(`${title} · Settlewire`, {
    main: guideHtml(file, text),
    menu: guideList(name),
  })
}
