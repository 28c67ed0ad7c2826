import type { ReactNode } from 'react'
import { sizeFor } from './figure.tsx'

/**
 * Dates, hexadecimal texts, ids, and numbers with the unit behind them: the same in every language.
 */
const fixed =
  /\d+ [A-Z][a-z]+, \d\d:\d\d|(?:0x[0-9a-fA-F…]+|…[0-9a-fA-F]+|\bpi_\w+|\d[\d\u202f.,:]*\d|\d)(?:\s(?:[A-Z]{2,}(?:\.?\w+)?|s)\b)?/g

/** A sentence whose amounts, times and codes are neither translated nor broken across lines. */
export function Sentence({ text }: { text: string }): ReactNode {
  return <>{partsOf(text).map(partOf)}</>
}

interface SentencePart {
  readonly text: string
  readonly isFixed: boolean
}

export function partsOf(text: string): readonly SentencePart[] {
  const parts: SentencePart[] = []
  let from = 0
  for (const found of text.matchAll(fixed)) {
    if (found.index > from) parts.push({ text: text.slice(from, found.index), isFixed: false })
    parts.push({ text: found[0], isFixed: true })
    from = found.index + found[0].length
  }
  if (from < text.length) parts.push({ text: text.slice(from), isFixed: false })
  return parts
}

const partOf = ({ text, isFixed }: SentencePart, place: number): ReactNode => {
  const key = `${place}:${text}`
  return isFixed ? (
    <span key={key} className="figure whole" translate="no" style={sizeFor(text)}>
      {text}
    </span>
  ) : (
    <span key={key}>{text}</span>
  )
}
