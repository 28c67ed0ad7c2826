import type { CSSProperties, ReactNode } from 'react'
import { grouped } from './money.ts'

interface Props {
  readonly amount: string
  readonly unit?: string
}

/** Characters beyond which an amount gets a line of its own. */
const longFrom = 14

export const isLong = (amount: string): boolean => grouped(amount).length >= longFrom

/**
 * An amount that never breaks across lines: `--characters` lets the style sheet choose a size at
 * which it fits. Browsers do not translate it.
 */
export function Figure({ amount, unit = '' }: Props): ReactNode {
  const text = unit === '' ? grouped(amount) : `${grouped(amount)}\u00a0${unit}`
  return (
    <span className="figure one-line" translate="no" style={sizeFor(text)}>
      {text}
    </span>
  )
}

/** Tells the style sheet how many characters must fit on a line. */
export const sizeFor = (text: string): CSSProperties =>
  // The types do not know custom properties.
  ({ '--characters': text.length }) as CSSProperties
