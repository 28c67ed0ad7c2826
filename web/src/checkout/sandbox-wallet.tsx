import { RequestError } from '@settlewire/client/request-error'
import type { WireAcceptance } from '@settlewire/core/wire/wire'
import { type ReactNode, useState } from 'react'
import type { PayerApi } from './payer-api.ts'
import { words } from './words.ts'

interface Props {
  readonly accept: WireAcceptance
  readonly api: PayerApi
  readonly announce: (text: string) => void
}

type SandboxOutcome =
  | { readonly is: 'ready' | 'sending' | 'sent' }
  | { readonly is: 'failed'; readonly why: string }

/** Test mode: a button that sends a real transaction on the local chain. */
export function SandboxWallet({ accept, api, announce }: Props): ReactNode {
  const [outcome, setOutcome] = useState<SandboxOutcome>({ is: 'ready' })
  const pay = async () => {
    if (outcome.is === 'sending') return
    setOutcome({ is: 'sending' })
    try {
      await api.payFromSandbox(`${accept.asset}.${accept.chain}`)
      setOutcome({ is: 'sent' })
      announce(words.sandboxPaid)
    } catch (error) {
      const why = error instanceof RequestError ? error.message : String(error)
      setOutcome({ is: 'failed', why })
      announce(words.sandboxFailed(why))
    }
  }
  const isSending = outcome.is === 'sending'
  return (
    <div className="sandbox">
      {/* Not `disabled`, because that would lose the focus. */}
      <button type="button" className="button" aria-disabled={isSending} onClick={() => void pay()}>
        {isSending ? words.sandboxPaying : words.sandboxPay}
      </button>
      <p className="sandbox-outcome">
        {outcome.is === 'sent' ? words.sandboxPaid : null}
        {outcome.is === 'failed' ? words.sandboxFailed(outcome.why) : null}
      </p>
    </div>
  )
}
