import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }>
}

/** Axe findings (WCAG 2 A and AA, good practice), a line each. The page's CSP must allow axe. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(
    await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
  )
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe }
    const { violations } = await axe.run()
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(', ')}`,
    )
  })
}
