import type { ReactNode } from 'react'
import { CheckIcon } from './icons.tsx'
import type { ShownPayment } from './payment.ts'
import type { Screen, StepName, StepState } from './screen.ts'
import { timeOfDay } from './time.ts'
import { words } from './words.ts'

/** The five steps: waiting, detected, confirming n of N, paid, final. */
export function Steps({
  steps,
  shown,
}: {
  steps: Screen['steps']
  shown: ShownPayment
}): ReactNode {
  return (
    <ol className="steps" aria-label={words.stepsLabel}>
      {steps.map(({ name, state }) => (
        <li
          key={name}
          className="step"
          data-step={name}
          data-state={state}
          {...(state === 'current' && { 'aria-current': 'step' as const })}
        >
          <span className="step-mark" aria-hidden="true">
            {state === 'done' ? <CheckIcon /> : null}
          </span>
          <span className="step-name">
            <span>{words.steps[name]}</span>
            <span className="aloud">: {words.stepStates[state]}</span>
          </span>
          <span className="step-count" translate="no">
            {noteOf(name, state, shown)}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** The time when a step was reached, or its progress. */
function noteOf(name: StepName, state: StepState, { payment, progress }: ShownPayment): string {
  const { confirmations, required } = progress
  const { createdAt, detectedAt, settledAt } = payment
  const at = (time: string | null) =>
    time === null || state === 'todo' ? '' : timeOfDay(Date.parse(time))
  switch (name) {
    case 'waiting':
      return state === 'done' ? at(createdAt) : ''
    case 'detected':
      return at(detectedAt)
    case 'confirming':
      if (required === null || state === 'todo' || state === 'halted') return ''
      return words.ofBlocks(state === 'done' ? required : confirmations, required)
    case 'paid':
      return at(settledAt)
    case 'final':
      return ''
  }
}
