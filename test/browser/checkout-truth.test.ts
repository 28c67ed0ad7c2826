import { stdout } from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fixtureNames, fixtures } from '../support/checkout-fixtures.ts'
import {
  CheckoutPages,
  closePage,
  reachesConnection,
  reachesStatus,
  storyOf,
} from '../support/checkout-pages.ts'

/** A page may not keep an outdated statement: after a success, while blind, on several pages. */
let pages: CheckoutPages

beforeAll(async () => {
  pages = await CheckoutPages.start()
})

afterAll(() => pages.close())

/** The longest time after which a page must show its server's knowledge that a chain is blind. */
const blindPageMsMax = 5_000

describe.each([
  ['a server that keeps the stream open until the money is final', false],
  ['a server that ends its streams at the success', true],
])('an open page that shows Paid, with %s,', (_, endsAtSuccess) => {
  beforeAll(() => {
    pages.server.endsAtSuccess = endsAtSuccess
  })
  afterAll(() => {
    pages.server.endsAtSuccess = false
  })

  it('shows that we are checking after a reorg has taken the money back', async () => {
    const page = await pages.open('confirming')
    await reachesConnection(page, 'current')
    pages.server.move(fixtures.succeeded)
    await reachesStatus(page, 'succeeded')
    pages.server.move({ ...fixtures.investigation_required, amountReceived: '0.00' })
    await reachesStatus(page, 'investigation_required')
    const story = await storyOf(page)
    expect(story).toContain('We are checking. No need to pay again.')
    expect(story).toContain('Received 0.00 USDC')
    expect(story).not.toContain('arrived')
    expect(await page.getByRole('link', { name: 'Return to Demo Shop' }).count()).toBe(1)
    await closePage(page)
  })

  it('shows the new sum and both transactions after a second payment', async () => {
    const page = await pages.open('confirming')
    await reachesConnection(page, 'current')
    pages.server.move(fixtures.succeeded)
    await reachesStatus(page, 'succeeded')
    pages.server.move(fixtures['succeeded-double'])
    await page.locator('.transactions li').nth(1).waitFor({ timeout: 30_000 })
    const story = await storyOf(page)
    expect(story).toContain('300.00 USDC arrived.')
    expect(story).toContain('This was paid more than once. Ask the merchant for the extra payment.')
    expect(story).toContain('0xbbbbbb…bbbbbb')
    await closePage(page)
  })
})

describe('a page that has stopped following', () => {
  it.each(['succeeded-final', 'cancelled', 'failed'] as const)(
    'reads the payment again when it gets focus, and follows it if it is open again: %s',
    async (name) => {
      const page = await pages.open(name)
      await reachesConnection(page, 'ended')
      pages.server.change(fixtures.investigation_required)
      await page.evaluate(() => window.dispatchEvent(new Event('focus')))
      await reachesStatus(page, 'investigation_required')
      await reachesConnection(page, 'current')
      pages.server.move(fixtures.succeeded)
      await reachesStatus(page, 'succeeded')
      await closePage(page)
    },
  )
})

describe('a page whose chain cannot be seen', () => {
  afterEach(() => {
    pages.server.mute = false
  })

  it.each([
    ['a stream', false, 'Live'],
    ['long-poll', true, 'Live by long-poll'],
  ])('never shows Live, and shows the blindness within 5 s by %s', async (by, mute, lineBefore) => {
    pages.server.mute = mute
    const page = await pages.open('confirming-12')
    await reachesConnection(page, mute ? 'fallback' : 'current')
    const line = page.locator('.connection')
    expect(await line.innerText()).toBe(lineBefore)
    await page.locator('.status-title', { hasText: /about \d+ s/ }).waitFor()
    const wrongMs: number[] = []
    for (const visibility of ['blind', 'ok'] as const) {
      pages.server.see(visibility)
      const since = Date.now()
      const note = page.locator('[data-blind=true]')
      await note.waitFor({ state: visibility === 'blind' ? 'attached' : 'detached' })
      wrongMs.push(Date.now() - since)
      expect(await line.innerText()).toBe(visibility === 'blind' ? 'Connected' : lineBefore)
      const title = await page.locator('.status-title').innerText()
      if (visibility === 'blind') expect(title).not.toContain('about')
      if (visibility === 'blind') expect(await page.locator('.why').count()).toBe(0)
    }
    stdout.write(`a page was wrong for ${wrongMs.join(' and ')} ms by ${by}\n`)
    expect(Math.max(...wrongMs)).toBeLessThanOrEqual(blindPageMsMax)
    await closePage(page)
  })
})

describe('four open pages of one payment', () => {
  it('show the same texts, although they were opened at different stages', async () => {
    const opened = [await pages.open('awaiting')]
    const steps = [fixtures.pending_detected, fixtures.confirming] as const
    for (const step of steps) {
      await Promise.all(opened.map((page) => reachesConnection(page, 'current')))
      pages.server.move(step)
      opened.push(await pages.open('now'))
    }
    await Promise.all(opened.map((page) => reachesStatus(page, 'confirming')))
    const [transfer] = fixtures.confirming.transfers
    if (transfer === undefined) throw new Error('the fixture has a transfer')
    // The same hash as before: only its stage has changed.
    const transfers = [{ ...transfer, stage: 'reverted' as const, confirmations: 2 }]
    const reason = 'transaction_reverted'
    pages.server.move({ status: 'awaiting', reason, transfers, amountReceived: '0.00' })
    opened.push(await pages.open('now'))
    for (const page of opened) {
      await reachesStatus(page, 'awaiting')
      await page.locator('.stage', { hasText: 'refused by the network' }).waitFor()
    }
    const stories = await Promise.all(opened.map(storyOf))
    expect(stories).toHaveLength(4)
    expect(new Set(stories)).toEqual(new Set([stories[0]]))
    await Promise.all(opened.map(closePage))
  })
})

describe('the texts of a page', () => {
  const narrow = { viewport: { width: 360, height: 740 } }

  it('never ask a payer to pay again while the first transaction may still arrive', async () => {
    const page = await pages.open('pending_expired')
    const story = await storyOf(page)
    expect(story).toContain('It may still arrive. Speed it up or cancel it in your wallet first;')
    expect(story).toContain('pay again only when it is cancelled.')
    await closePage(page)
  })

  it('say until when a late full payment counts', async () => {
    const page = await pages.open('expired')
    expect(await storyOf(page)).toMatch(
      /until \d+ \w+, [\d:]+ the full amount still counts as paid/,
    )
    pages.server.move({ ...fixtures.succeeded, flags: ['late'] })
    await reachesStatus(page, 'succeeded')
    expect(await storyOf(page)).toContain('It arrived after the request had ended.')
    await closePage(page)
    const over = await pages.open('expired-unwatched')
    expect(await storyOf(over)).not.toContain('counts')
    await closePage(over)
  })

  it('contain each sentence once, and never say Closed', async () => {
    const page = await pages.open('awaiting', narrow)
    for (const name of fixtureNames) {
      await page.goto(`${pages.server.url}/pay/${name}/token`)
      await page.waitForSelector('.page')
      // Without the uncounted transfers: each of them has its own advice, which may be the same.
      await page.evaluate(() => document.querySelector('.uncounted')?.remove())
      const text = await page.locator('.sheet').innerText()
      const sentences = text
        .split(/\n|(?<=[.?!])\s/)
        .map((one) => one.trim())
        .filter((one) => /[.?!]$/.test(one) && one.includes(' '))
      expect(new Set(sentences).size, `${name}: ${sentences.join(' | ')}`).toBe(sentences.length)
      expect(text, name).not.toMatch(/\bClosed\b/)
    }
    await closePage(page)
  }, 240_000)

  it('never break an amount inside its digits at 360 px', async () => {
    const part = { amount: '1234567890123.123456789012345678', currency: 'ETH' }
    const rest = { amountReceived: '0.000000000000000001' }
    for (const [name, later] of [
      ['awaiting-long', null],
      ['succeeded-long', null],
      ['awaiting-live', null],
      ['awaiting', { ...fixtures['awaiting-part'], ...part, ...rest }],
      ['awaiting', { ...fixtures['expired-part'], ...part, ...rest }],
      ['awaiting', { ...fixtures['succeeded-over'], ...part, amountReceived: '9876543210987.5' }],
      ['awaiting', { ...fixtures.pending_detected, ...part, amountPending: part.amount }],
    ] as const) {
      const page = await pages.open(name, narrow)
      if (later !== null) {
        await reachesConnection(page, 'current')
        pages.server.move(later)
        await page.waitForFunction(() => document.body.innerText.includes('ETH'))
      }
      const broken = await page.evaluate(() =>
        [...document.querySelectorAll('.one-line, .whole')].flatMap((one) => {
          const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT)
          const texts: Text[] = []
          while (walker.nextNode()) texts.push(walker.currentNode as Text)
          return texts.flatMap((text) => {
            const [digits] = /\d[\d.\u202f]*\d/.exec(text.data) ?? []
            if (digits === undefined) return []
            const range = document.createRange()
            const start = text.data.indexOf(digits)
            range.setStart(text, start)
            range.setEnd(text, start + digits.length)
            const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
            const { right } = range.getBoundingClientRect()
            return lines.size > 1 || right > window.innerWidth ? [text.data] : []
          })
        }),
      )
      expect(broken, `${name} ${later?.status}`).toEqual([])
      await closePage(page)
    }
  })

  it('show the asset, amount and hash of wrong money, and what to do', async () => {
    const page = await pages.open('awaiting')
    await reachesConnection(page, 'current')
    pages.server.move(fixtures['awaiting-wrong'])
    const part = page.locator('.uncounted')
    await part.waitFor()
    const text = (await part.innerText()).replace(/\s+/g, ' ')
    expect(text).toContain('150.00 USDC.e came on Local test chain.')
    expect(text).toContain('Ask the merchant to send it back, and name this transaction.')
    expect(text).toContain('0x4e3a37…5a1bdd')
    // Visible without scrolling.
    const { y } = (await part.boundingBox()) ?? { y: Number.POSITIVE_INFINITY }
    expect(y).toBeLessThan(500)
    await closePage(page)
  })
})
