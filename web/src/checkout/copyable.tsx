import { systemClock } from '@settlewire/client/clock'
import { type ReactNode, useEffect, useState } from 'react'
import { copy } from './copy.ts'
import { CheckIcon, CopyIcon } from './icons.tsx'
import { words } from './words.ts'

type What = keyof typeof words.copyWhat
type CopyOutcome = 'ready' | 'copied' | 'failed'

const shownForMs = 2_000

interface Props {
  readonly what: What
  readonly text: string
  /** Has a screen reader read the text aloud. */
  readonly announce: (text: string) => void
}

/** A button that copies a text, and confirms it. */
export function CopyButton({ what, text, announce }: Props): ReactNode {
  const [outcome, setOutcome] = useState<CopyOutcome>('ready')
  useEffect(() => {
    if (outcome === 'ready') return
    return systemClock.after(shownForMs, () => {
      setOutcome('ready')
      announce('')
    })
  }, [outcome, announce])

  const onClick = async () => {
    const done = await copy(text)
    setOutcome(done ? 'copied' : 'failed')
    announce(done ? words.copiedWhat[what] : words.copyFailed)
  }
  return (
    <button
      type="button"
      className="copy"
      data-copy={what}
      data-outcome={outcome}
      aria-label={words.copyWhat[what]}
      onClick={() => void onClick()}
    >
      {outcome === 'copied' ? <CheckIcon /> : <CopyIcon />}
      <span className="copy-word">{outcome === 'copied' ? words.copied : words.copy}</span>
    </button>
  )
}
