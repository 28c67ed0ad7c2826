import type { State } from '@settlewire/client/stream-state'
import type { Status } from '@settlewire/core/payment/status-model'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { ClaimForm } from './claim-form.tsx'
import { Details } from './details.tsx'
import { Figure } from './figure.tsx'
import { useFirstTextOf, useNow, useStore } from './hooks.ts'
import type { Live } from './live.ts'
import { lookOf } from './look.ts'
import { grouped } from './money.ts'
import { NoticePanel } from './notice-panel.tsx'
import type { PageState } from './page-state.ts'
import { PaidPanel } from './paid-panel.tsx'
import { PayPanel } from './pay-panel.tsx'
import { chainNameOf } from './payment.ts'
import { ProgressPanel } from './progress-panel.tsx'
import { type Panel, spokenOf } from './screen.ts'
import { StatusCard } from './status-card.tsx'
import { Steps } from './steps.tsx'
import { TimeLeft } from './time-left.tsx'
import { Transactions } from './transaction.tsx'
import { Uncounted } from './uncounted.tsx'
import { words } from './words.ts'

/** The whole checkout page. */
export function Checkout({ live, state }: { live: Live; state: PageState }): ReactNode {
  const moment = useStore(live.subscribe, live.moment)
  const { shown, connection, clockOffsetMs, policy } = moment
  const now = useNow()
  const serverNow = now + clockOffsetMs
  const { payment, progress } = shown
  const { screen, line } = lookOf(moment, { now, loadedAt: live.loadedAt })
  const [chosen, choose] = useState(0)
  const { status } = payment
  const [announced, setAnnounced] = useState<string | null>(null)
  // Null rather than an empty text: a screen reader may read a changed live region again.
  const announce = useCallback((text: string) => setAnnounced(text || null), [])
  const spoken = spokenOf(shown, screen)
  const statusAloud = useFirstTextOf(spoken.key, spoken.text)
  const title = useRef<HTMLHeadingElement>(null)
  useWhenReplaced(screen.panel, title, announce)

  const amount = `${grouped(payment.amount)} ${payment.currency}`
  useEffect(() => {
    document.title = words.pageTitle(screen.label, amount)
  }, [screen.label, amount])

  const accept = payment.accept[chosen] ?? payment.accept[0]
  const merchant = state.merchant.name
  return (
    <div
      className="page"
      data-status={status}
      data-confirmations={progress.confirmations}
      data-connection={connection.state}
      data-tone={screen.tone}
      data-live={screen.isLive && isProven(connection.state)}
    >
      {state.payment.livemode ? null : <TestBanner />}
      <main className="sheet">
        <header className="ask">
          <div className="ask-top">
            <p className="merchant">{headline(merchant, status)}</p>
            <p className="connection" data-look={line.look}>
              {line.label}
            </p>
          </div>
          <h1 className="amount">
            <Figure amount={payment.amount} />{' '}
            <span className="unit" translate="no">
              {payment.currency}
            </span>
          </h1>
          <TimeLeft
            payment={payment}
            countsDown={screen.countsDown}
            isBlind={screen.isBlind}
            serverNow={serverNow}
          />
        </header>
        <section className="state">
          <StatusCard screen={screen} titleRef={title} />
          <Uncounted shown={shown} announce={announce} />
          <Steps steps={screen.steps} shown={shown} />
        </section>
        <section className="panel" data-panel={screen.panel} key={screen.panel}>
          {screen.panel === 'pay' && accept !== undefined ? (
            <PayPanel
              shown={shown}
              screen={screen}
              choice={{ accept, choose, chosen }}
              sandbox={state.sandbox ? live.api : null}
              announce={announce}
            />
          ) : null}
          {screen.panel === 'progress' ? (
            <ProgressPanel
              shown={shown}
              screen={screen}
              policy={policy?.answer ?? null}
              announce={announce}
            />
          ) : null}
          {screen.panel === 'paid' ? (
            <PaidPanel shown={shown} merchant={merchant} announce={announce} />
          ) : null}
          {screen.panel === 'notice' ? (
            <NoticePanel shown={shown} screen={screen} merchant={merchant} announce={announce} />
          ) : null}
          {/* Earlier transactions that were lost or paid only a part: where to look them up. */}
          {screen.panel === 'pay' ? <Transactions shown={shown} announce={announce} /> : null}
          {screen.canClaim ? <ClaimForm api={live.api} announce={announce} /> : null}
        </section>
        <footer className="foot">
          <Details
            payment={payment}
            accept={accept}
            chain={chainNameOf(shown, accept?.chain ?? '')}
          />
        </footer>
      </main>
      <p className="aloud" role="status" aria-live="polite">
        {statusAloud}
      </p>
      <p className="aloud" aria-live="polite">
        {line.warning ?? announced}
      </p>
      {line.warning === null ? null : (
        <p className="warning" aria-hidden="true">
          {line.warning}
        </p>
      )}
    </div>
  )
}

const isProven = (state: State): boolean => state === 'current' || state === 'fallback'

function headline(merchant: string, status: Status): string {
  if (merchant === '') return words.unnamedMerchant
  return status === 'succeeded' ? words.paidTo(merchant) : words.payTo(merchant)
}

function TestBanner(): ReactNode {
  return (
    <aside className="test-banner">
      <strong>{words.testMode}</strong> {words.testModeText}
    </aside>
  )
}

/**
 * When a panel replaces another: moves the focus to the status title if the focused element is
 * gone, and clears the announcement of the old panel, which may be untrue by now.
 */
function useWhenReplaced(
  panel: Panel,
  title: { current: HTMLElement | null },
  announce: (text: string) => void,
): void {
  const before = useRef({ panel, focused: null as Element | null })
  const { focused } = before.current
  useEffect(() => {
    const remember = (event: FocusEvent) => {
      before.current.focused = event.target instanceof Element ? event.target : null
    }
    document.addEventListener('focusin', remember)
    return () => document.removeEventListener('focusin', remember)
  }, [])
  useEffect(() => {
    if (before.current.panel === panel) return
    before.current.panel = panel
    announce('')
    if (focused !== null && !focused.isConnected) title.current?.focus()
  }, [panel, focused, title, announce])
}
