// @ts-check
/**
 * Makes the lab live in a browser: levers without a reload, a refresh at each event of the
 * payment's stream, and another every two seconds. Without this script the page works by forms.
 */

const refreshMs = 2_000
const retryMs = 1_000

const lab = /** @type {HTMLElement} */ (document.querySelector('.lab'))
const outcome = /** @type {HTMLElement} */ (document.querySelector('[data-outcome]'))
const line = /** @type {HTMLElement | null} */ (document.querySelector('[data-line]'))
const { payment = '', secret = '' } = lab.dataset

/** One refresh at a time; requests during a refresh cause one more afterwards. */
const refreshing = { runs: false, again: false }

async function refresh() {
  if (refreshing.runs) {
    refreshing.again = true
    return
  }
  refreshing.runs = true
  try {
    do {
      refreshing.again = false
      const answer = await fetch(`/lab/parts?payment=${encodeURIComponent(payment)}`)
      if (answer.ok) show(await answer.json())
    } while (refreshing.again)
  } catch {
    // The server does not answer: the line shows it, and the next refresh tries again.
  } finally {
    refreshing.runs = false
  }
}

/** @param {Record<string, string>} parts */
function show(parts) {
  for (const [name, markup] of Object.entries(parts)) {
    const place = document.querySelector(`[data-part="${name}"]`)
    if (!(place instanceof HTMLElement) || place.dataset.shown === markup) continue
    const focused = document.activeElement
    const key = place.contains(focused) ? focused?.getAttribute('data-key') : null
    place.innerHTML = markup
    place.dataset.shown = markup
    if (!key) continue
    const again = place.querySelector(`[data-key="${CSS.escape(key)}"]`)
    if (again instanceof HTMLElement) again.focus()
  }
}

/** @param {{ ok: boolean, words: string }} said */
function say({ ok, words }) {
  outcome.textContent = words
  outcome.classList.toggle('lab-outcome-bad', !ok)
}

/** @param {SubmitEvent} event */
async function pull(event) {
  const form = event.currentTarget
  if (!(form instanceof HTMLFormElement)) return
  event.preventDefault()
  const fields = new FormData(form, event.submitter)
  const body = new URLSearchParams()
  for (const [name, value] of fields) body.set(name, String(value))
  say({ ok: true, words: '…' })
  try {
    const headers = { accept: 'application/json' }
    const answer = await fetch('/lab/pull', { method: 'POST', headers, body })
    say(await answer.json())
  } catch {
    say({ ok: false, words: 'The server does not answer.' })
  }
  await refresh()
}

/** @param {'live' | 'lost' | 'ended'} state */
function tell(state) {
  if (line === null) return
  line.dataset.line = state
  line.textContent = { live: 'Live', lost: 'Reconnecting …', ended: 'Stream ended' }[state]
}

/** Follows the payment's stream: each event causes a refresh. */
async function follow() {
  let last = ''
  for (;;) {
    try {
      const headers = new Headers({
        authorization: `Bearer ${secret}`,
        accept: 'text/event-stream',
      })
      if (last !== '') headers.set('last-event-id', last)
      const path = `/v1/payment-intents/${payment}/stream?until=final`
      const answer = await fetch(path, { headers, cache: 'no-store' })
      if (answer.status === 204) {
        tell('ended')
        return
      }
      if (answer.ok && answer.body !== null) {
        tell('live')
        for await (const id of eventIds(answer.body)) {
          last = id
          void refresh()
        }
      }
    } catch {
      // The connection was lost: continue after the last event.
    }
    tell('lost')
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<string>}
 */
async function* eventIds(body) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const frames = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const [, id] = /^id: ?(.*)$/m.exec(frame) ?? []
      if (id) yield id
    }
  }
}

for (const form of document.querySelectorAll('form[data-pull]')) {
  form.addEventListener('submit', (event) => void pull(/** @type {SubmitEvent} */ (event)))
}
setInterval(() => {
  if (!document.hidden) void refresh()
}, refreshMs)
if (payment !== '') void follow()
