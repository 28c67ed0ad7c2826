import { RequestError } from '@settlewire/client/request-error'
import { type ReactNode, type SyntheticEvent, useState } from 'react'
import type { PayerApi } from './payer-api.ts'
import { words } from './words.ts'

interface Props {
  readonly api: PayerApi
  /** Has a screen reader read the text aloud. */
  readonly announce: (text: string) => void
}

interface ClaimOutcome {
  readonly is: 'ready' | 'sending' | 'accepted' | 'rejected'
  readonly text: string
}

/** Finds a hash in the pasted text: wallets often copy a link to an explorer instead. */
const hashForm = /0x[0-9a-f]{64}(?![0-9a-f])/i

/** For a payer whose payment does not show: searches for the transaction by its hash. */
export function ClaimForm({ api, announce }: Props): ReactNode {
  const [text, setText] = useState('')
  const [outcome, setOutcome] = useState<ClaimOutcome>({ is: 'ready', text: '' })
  const show = (is: ClaimOutcome['is'], message: string) => {
    setOutcome({ is, text: message })
    if (message !== '') announce(message)
  }
  const send = async (event: SyntheticEvent) => {
    event.preventDefault()
    if (outcome.is === 'sending') return
    const [txHash] = hashForm.exec(text) ?? []
    if (txHash === undefined) {
      show('rejected', words.claimBad)
      return
    }
    show('sending', '')
    try {
      show('accepted', (await api.claim(txHash)).message)
    } catch (error) {
      const why = error instanceof RequestError ? error.message : String(error)
      show('rejected', words.claimFailed(why))
    }
  }
  const isSending = outcome.is === 'sending'
  return (
    <details className="claim">
      <summary>{words.claimAsk}</summary>
      <form onSubmit={(event) => void send(event)} noValidate>
        <p id="claim-hint">{words.claimHint}</p>
        <label htmlFor="claim-hash">{words.claimField}</label>
        <input
          id="claim-hash"
          type="text"
          autoComplete="off"
          spellCheck={false}
          value={text}
          aria-describedby="claim-hint claim-outcome"
          aria-invalid={outcome.is === 'rejected'}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" className="button button-quiet" aria-disabled={isSending}>
          {isSending ? words.claimSending : words.claimSend}
        </button>
        <p id="claim-outcome" className="claim-outcome" data-outcome={outcome.is}>
          {outcome.text}
        </p>
      </form>
    </details>
  )
}
