import type { PolicyAnswer } from '@settlewire/client/answers'
import type { ReactNode } from 'react'
import { Figure } from './figure.tsx'
import type { ShownPayment } from './payment.ts'
import type { Screen } from './screen.ts'
import { Sentence } from './sentence.tsx'
import { Transactions } from './transaction.tsx'
import { words } from './words.ts'

/** Up to this number, each block gets its own segment. */
const segmentsMax = 24

interface Props {
  readonly shown: ShownPayment
  readonly screen: Screen
  /** Null until the server has sent it. */
  readonly policy: PolicyAnswer | null
  readonly announce: (text: string) => void
}

/**
 * Money was seen: shows how it is confirmed. Hides the address, so that the payer does not pay
 * twice.
 */
export function ProgressPanel({ shown, screen, policy, announce }: Props): ReactNode {
  const { payment, progress } = shown
  const { confirmations, required } = progress
  const isInBlock = payment.status === 'confirming'
  const segments = required === null || required > segmentsMax ? 1 : required
  const reached = isInBlock && required !== null ? Math.min(1, confirmations / required) : null
  return (
    <>
      <div className="ring" data-turning={reached === null}>
        <Ring segments={isInBlock ? segments : 1} reached={reached} />
        <p className="ring-text">
          {isInBlock && required !== null ? (
            <>
              <span className="ring-figure figure" translate="no">
                {confirmations}
              </span>
              <span>{words.inBlocks(required)}</span>
            </>
          ) : (
            <span>{isInBlock ? words.becomingFinal : words.inMempool}</span>
          )}
        </p>
      </div>
      <p className="panel-amount">
        <Figure amount={screen.seen} unit={payment.currency} />
      </p>
      {policy === null || !screen.isExplained ? null : (
        <details className="why">
          <summary>{words.why(isInBlock ? required : null)}</summary>
          <ul>
            {policy.sentences.map((sentence) => (
              <li key={sentence}>
                <Sentence text={sentence} />
              </li>
            ))}
          </ul>
        </details>
      )}
      <Transactions shown={shown} announce={announce} />
    </>
  )
}

const radius = 54

/** A circle that fills in segments; null for `reached`: it rotates instead. */
function Ring({ segments, reached }: { segments: number; reached: number | null }): ReactNode {
  const gap = segments === 1 ? 0 : 1.6
  const part = 100 / segments
  const dashes = `${part - gap} ${gap}`
  return (
    <svg viewBox="0 0 120 120" aria-hidden="true">
      <circle
        className="ring-track"
        cx="60"
        cy="60"
        r={radius}
        pathLength={100}
        style={{ strokeDasharray: dashes }}
      />
      <circle
        className="ring-fill"
        cx="60"
        cy="60"
        r={radius}
        pathLength={100}
        {...(reached !== null && { style: { strokeDasharray: filled(segments, reached, gap) } })}
      />
    </svg>
  )
}

/** One dash per reached segment, then a gap for the rest of the circle. */
function filled(segments: number, reached: number, gap: number): string {
  const part = 100 / segments
  if (segments === 1) return `${100 * reached} 100`
  const dashes = Array.from(
    { length: Math.round(segments * reached) },
    () => `${part - gap} ${gap}`,
  )
  return [...dashes, '0 100'].join(' ')
}
