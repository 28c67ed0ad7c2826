import type { Page } from 'playwright-core'

/**
 * What a translator must not change in each text of a page: amounts with their unit, hashes,
 * addresses and ids. Returns those that no `translate="no"` protects.
 */
export const openToTranslation = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const fixed =
      /\d[\d,.]*\s?(?:USDC(?:\.\w+)?|ETH|TOLL)\b|\b\d+\.\d{2,}\b|0x[0-9a-fA-F…]{4,}|…[0-9a-f]{4,}|\b(?:pi|evt|req|mer|key|sk|pk|rk)_\w+|\b(?:order|lab)-[0-9a-f]{8,}/g
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    while (walker.nextNode()) {
      const text = walker.currentNode as Text
      const isKept = text.parentElement?.closest('script, noscript, [translate=no]') !== null
      if (!isKept) found.push(...(text.data.match(fixed) ?? []))
    }
    return found
  })
