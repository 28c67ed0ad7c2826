// @ts-check
/**
 * Makes the lab live in a browser: levers without a reload, a refresh at each event of the
 * payment's stream, and another every two seconds. Without this script the page works by forms.
 * Browsers get this file as it is, so it uses nothing that the oldest supported ones lack.
 */
import { PaymentStream } from './stream.mjs'

const refreshMs = 2_000

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
      const askedAt = clock.now()
      const answer = await fetch(`/lab/parts?payment=${encodeURIComponent(payment)}`)
      if (!answer.ok) continue
      const { sight, parts } = await answer.json()
      // First: "Live" must not stand beside a part that says that the chain cannot be seen.
      stream.report({ askedAt, sight })
      show(parts)
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

/** The server's markup keeps amounts and hashes from being translated. @param {LabAnswer} said */
function say({ ok, markup }) {
  outcome.innerHTML = markup
  outcome.classList.toggle('lab-outcome-bad', !ok)
}
/** @typedef {{ ok: boolean, markup: string }} LabAnswer */

/** The button that was pressed last: Safari before 15.4 does not name it in the `submit` event. */
let pressed = /** @type {HTMLButtonElement | null} */ (null)
document.addEventListener('click', ({ target }) => {
  pressed = target instanceof Element ? target.closest('button') : null
})

/** @param {Event} event */
async function pull(event) {
  const form = event.currentTarget
  // A press of Enter in a field clicks the first button of its form.
  if (!(form instanceof HTMLFormElement) || pressed === null || pressed.form !== form) return
  event.preventDefault()
  const body = new URLSearchParams()
  for (const [name, value] of new FormData(form)) body.set(name, String(value))
  body.set(pressed.name, pressed.value)
  say({ ok: true, markup: '…' })
  try {
    const headers = { accept: 'application/json' }
    const answer = await fetch('/lab/pull', { method: 'POST', headers, body })
    say(await answer.json())
  } catch {
    say({ ok: false, markup: 'The server does not answer.' })
  }
  await refresh()
}

/** The words of the line; the checkout has the same rules (`web/src/checkout/connection-line.ts`). */
const lineWords = {
  checking: 'Checking for news …',
  live: 'Live',
  unseen: 'Connected',
  lost: 'Reconnecting …',
  ended: 'Stream ended',
  refused: 'Not connected',
}

/** @param {keyof typeof lineWords} state */
function tell(state) {
  if (line === null || line.dataset.line === state) return
  line.dataset.line = state
  line.textContent = lineWords[state]
}

/** @type {import('./stream.mjs').LabClock} */
const clock = {
  now: () => Date.now(),
  every(ms, call) {
    const timer = setInterval(call, ms)
    return () => clearInterval(timer)
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

const listener = { tell, moved: () => void refresh() }
const stream = new PaymentStream({ payment, secret }, listener, clock)
for (const form of document.querySelectorAll('form[data-pull]')) {
  form.addEventListener('submit', (event) => void pull(event))
}
const refreshIfSeen = () => {
  if (!document.hidden) void refresh()
}
clock.every(refreshMs, refreshIfSeen)
document.addEventListener('visibilitychange', refreshIfSeen)
if (payment !== '') void stream.follow()
