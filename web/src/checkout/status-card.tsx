import type { ReactNode, RefObject } from 'react'
import type { Screen } from './screen.ts'
import { Sentence } from './sentence.tsx'

interface Props {
  readonly screen: Screen
  readonly titleRef: RefObject<HTMLHeadingElement | null>
}

/** The current status in words. */
export function StatusCard({ screen, titleRef }: Props): ReactNode {
  return (
    <div className="status">
      <h2 className="status-title" ref={titleRef} tabIndex={-1}>
        <span className="beacon" aria-hidden="true" />
        {/* Keyed, so that a new sentence is animated as a whole. */}
        <span className="arriving" key={screen.title}>
          <Sentence text={screen.title} />
        </span>
      </h2>
      <p className="status-text">
        <Sentence text={screen.text} />
      </p>
      {screen.sightNotes.map(({ isBlind, text, age }) => (
        <p key={text} className={isBlind ? 'note note-attention' : 'note'} data-blind={isBlind}>
          {text} {age === null ? null : <Sentence text={age} />}
        </p>
      ))}
      {screen.notes.length === 0 ? null : (
        <ul className="note">
          {screen.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
