import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../../test/support/http-world.ts'
import { guidePath, guides } from './pages/guide-list.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const open = (path: string, on = world) => on.ask(path, { key: null, headers: browser })

/** The targets of all links of a page. */
const linksIn = (text: string): string[] =>
  Array.from(text.matchAll(/href="([^"]+)"/g), ([, href = '']) => href).filter(
    (href) => !href.startsWith('data:'),
  )

describe('the start page', () => {
  it('links to the shop and the lab only with a sandbox, and has no broken link', async () => {
    expect(linksIn((await open('/')).text)).toEqual(
      expect.arrayContaining(['/shop', '/lab', '/docs']),
    )
    const bare = await HttpWorld.start({ sandbox: false })
    const page = await open('/', bare)
    expect(page.status).toBe(200)
    const links = linksIn(page.text)
    expect(links).not.toContain('/shop')
    for (const link of links) expect([link, (await open(link, bare)).status]).toEqual([link, 200])
    await bare.close()
  })
})

describe('a refusal', () => {
  it.each([
    ['/nowhere', 404, 'There is nothing at this address', '/'],
    ['/v1/events', 401, 'This address is for programs with a key', '/docs'],
    [
      `/v1/payment-intents/pi_${'0'.repeat(26)}`,
      401,
      'This address is for programs with a key',
      '/docs',
    ],
  ])(
    'is a page for a browser, and a problem document for programs: %s',
    async (path, status, title, link) => {
      const page = await open(path)
      expect([page.status, page.headers.get('content-type')]).toEqual([
        status,
        'text/html; charset=utf-8',
      ])
      expect(page.text).toContain(`<h1>${title}</h1>`)
      expect(page.text).toContain(
        `Error ${status} · Request <span class="kept" translate="no">${page.headers.get('request-id')}</span>`,
      )
      expect(page.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha/,
      )
      expect(linksIn(page.text)).toEqual([link])
      for (const accept of ['*/*', 'application/json', 'text/event-stream']) {
        const program = await world.ask(path, { key: null, headers: { accept } })
        expect(program.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      }
    },
  )

  it('of a POST is a problem document, for browsers too', async () => {
    const answer = await world.ask('/v1/payment-intents', { body: {}, key: null, headers: browser })
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  })

  it('links back to the shop if the payment is known', async () => {
    const redirectUrl = 'https://shop.example/thanks?a=1&b=2'
    const sick = await HttpWorld.start()
    const payment = await sick.create({ redirectUrl })
    sick.breakMerchants()
    const page = await open(new URL(payment.checkoutUrl).pathname, sick)
    expect(page.status).toBe(500)
    expect(page.text).toContain('href="https://shop.example/thanks?a=1&amp;b=2">Back to the shop')
    expect(page.text).not.toContain('on fire')
    await sick.close()
  })
})

describe('the error page of a payer', () => {
  const wrong = ['/pay/', '/pay/pi_01', '/pay/x/y', '/pay/x/y/', '/pay/x/y/z?utm=1']

  it.each(wrong)('says what to do with a wrong link, and leads to no API: %s', async (path) => {
    const page = await open(path)
    expect(page.status).toBe(404)
    expect(page.text).toContain('<h1>This payment link does not work</h1>')
    expect(page.text).toContain('Go back to the shop that gave you the link')
    expect(page.text).toContain('Do not send money')
    expect(linksIn(page.text)).toEqual([])
    expect(page.headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
  })

  it('offers to try again when the server has a fault, and the way to the shop if it is known', async () => {
    const bare = await HttpWorld.start({ webRoot: '/nowhere/at/all' })
    const redirectUrl = 'https://shop.example/thanks'
    const { checkoutUrl } = await bare.create({ redirectUrl })
    const { pathname } = new URL(checkoutUrl)
    const page = await open(pathname, bare)
    expect(page.status).toBe(503)
    expect(page.text).toContain('<a class="button" href="">Try again</a>')
    expect(page.text).toContain(`href="${redirectUrl}">Back to the shop</a>`)
    expect(linksIn(page.text)).not.toContain('/')
    await bare.close()
  })
})

describe('the mark of the product', () => {
  it('is no tick, which would look like a success', async () => {
    const { text } = await open('/')
    const [, icon = ''] = /<img class="mark" src="data:image\/svg\+xml,([^"]+)"/.exec(text) ?? []
    const drawing = decodeURIComponent(icon)
    expect(drawing).toContain('<svg')
    // A tick is one line that goes down and then further up.
    expect(drawing).not.toMatch(/<path d="M[\d. ]+l[\d. ]+[lL][\d. -]+"/i)
  })
})

describe('the API reference', () => {
  it('names every route of the contract, and has no broken link', async () => {
    const page = await open('/docs')
    const contract = (await world.ask('/openapi.json')).json
    for (const path of Object.keys(contract.paths))
      expect(page.text).toContain(`<code translate="no">${path}</code>`)
    const ids = new Set(Array.from(page.text.matchAll(/ id="([^"]+)"/g), ([, id]) => `#${id}`))
    for (const link of linksIn(page.text)) {
      if (link.startsWith('#')) expect(ids).toContain(link)
      else expect([link, (await open(link)).status]).toEqual([link, 200])
    }
  })

  it('has no script and allows no script', async () => {
    const page = await open('/docs')
    expect(page.text).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).not.toContain('script-src')
  })
})

describe('the guides', () => {
  it.each(Object.keys(guides))('are served as pages without a broken link: %s', async (name) => {
    const page = await open(guidePath(name))
    expect(page.status).toBe(200)
    expect(page.text).toMatch(/<h1 id=/)
    for (const link of linksIn(page.text)) {
      const [path = '', anchor] = link.split('#')
      if (/^https?:/.test(path)) continue
      const target = path === '' ? page : await open(path)
      // The shop and the lab are routes of the sandbox, which this world does not serve.
      if (path !== '/shop' && path !== '/lab') expect([link, target.status]).toEqual([link, 200])
      if (anchor !== undefined) expect(target.text).toContain(` id="${anchor}"`)
    }
  })

  it('link to each other: the protocol to the glossary', async () => {
    const page = await open(guidePath('protocol'))
    expect(linksIn(page.text)).toContain('/docs/guides/glossary')
  })

  it('have the address of this server in the tutorial', async () => {
    const { text } = await open(guidePath('start'))
    expect(linksIn(text)).toContain(`${new URL(world.url).origin}/shop`)
    expect(text).toContain(`Settlewire is ready: ${new URL(world.url).origin}`)
    expect(text).not.toContain('127.0.0.1:8080')
  })

  it('are served only if they are in the list', async () => {
    for (const name of ['constructor', '..%2f..%2fpackage.json', 'x']) {
      expect((await open(`/docs/guides/${name}`)).status).toBe(404)
    }
  })
})
