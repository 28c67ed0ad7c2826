import type { Client } from '@settlewire/client/client'
import type { PaymentIntent, WireAcceptance } from '@settlewire/core/wire'
import { chainName } from '@settlewire/core/words'
import { type ReactNode, useState } from 'react'
import { CopyButton } from './copyable.tsx'
import { grouped, inFours, uriFor } from './money.ts'
import { Qr } from './qr.tsx'
import { SandboxWallet } from './sandbox-wallet.tsx'
import type { Screen } from './screen.ts'
import { words } from './words.ts'

interface Props {
  readonly payment: PaymentIntent
  readonly screen: Screen
  readonly choice: {
    readonly accept: WireAcceptance
    readonly chosen: number
    readonly choose: (index: number) => void
  }
  /** Null where there is no sandbox wallet. */
  readonly sandbox: Client | null
  readonly say: (text: string) => void
}

/** How to pay: what, where to, on which network. */
export function PayPanel({ payment, screen, choice, sandbox, say }: Props): ReactNode {
  const { accept } = choice
  const [addressOnly, setAddressOnly] = useState(false)
  const chain = chainName(accept.chain)
  const amount = `${grouped(screen.toSend)} ${accept.asset}`
  const uri = uriFor(accept, screen.toSend)
  return (
    <>
      {payment.accept.length > 1 ? <Choice payment={payment} {...choice} /> : null}
      <Qr
        text={addressOnly || uri === null ? accept.address : uri}
        label={
          addressOnly || uri === null
            ? words.qrAddressAlt
            : words.qrAlt(grouped(screen.toSend), accept.asset, chain)
        }
      />
      {uri === null ? null : (
        <fieldset className="toggle">
          <legend className="aloud">{words.qrHolds}</legend>
          <Option
            name="qr"
            label={words.qrWithAmount}
            on={!addressOnly}
            pick={() => setAddressOnly(false)}
          />
          <Option
            name="qr"
            label={words.qrAddressOnly}
            on={addressOnly}
            pick={() => setAddressOnly(true)}
          />
        </fieldset>
      )}
      <div className="facts">
        <div className="fact">
          <span className="fact-name">{screen.isPart ? words.sendMissing : words.sendExactly}</span>
          <span className="fact-value figure">{amount}</span>
          <CopyButton what="amount" text={screen.toSend} say={say} />
        </div>
        <div className="fact">
          <span className="fact-name">{words.toAddress}</span>
          <Address address={accept.address} />
          <CopyButton what="address" text={accept.address} say={say} />
        </div>
        <div className="fact">
          <span className="fact-name">{words.onNetwork}</span>
          <span className="fact-value">{chain}</span>
        </div>
      </div>
      <p className="caution">{words.onlyThis(accept.asset, chain, payment.accept.length > 1)}</p>
      {uri === null ? null : (
        <a className="button button-quiet wallet" href={uri}>
          {words.openWallet}
        </a>
      )}
      {sandbox === null ? null : (
        <SandboxWallet payment={payment} accept={accept} client={sandbox} say={say} />
      )}
    </>
  )
}

function Address({ address }: { address: string }): ReactNode {
  return (
    <code className="fact-value address">
      {inFours(address).map((four, i) => (
        // The same four can come twice: their place is what tells them apart.
        // biome-ignore lint/suspicious/noArrayIndexKey: an address never changes its order
        <span key={i}>{four}</span>
      ))}
    </code>
  )
}

function Choice({
  payment,
  chosen,
  choose,
}: {
  payment: PaymentIntent
  chosen: number
  choose: (index: number) => void
}): ReactNode {
  return (
    <fieldset className="choice">
      <legend className="fact-name">{words.payWith}</legend>
      {payment.accept.map(({ asset, chain }, i) => (
        <Option
          key={`${asset}.${chain}`}
          name="asset"
          label={asset}
          more={chainName(chain)}
          on={i === chosen}
          pick={() => choose(i)}
        />
      ))}
    </fieldset>
  )
}

interface OptionProps {
  readonly name: string
  readonly label: string
  readonly more?: string
  readonly on: boolean
  readonly pick: () => void
}

function Option({ name, label, more, on, pick }: OptionProps): ReactNode {
  return (
    <label className="option">
      <input type="radio" name={name} checked={on} onChange={pick} />
      <span className="option-face">
        {label}
        {more === undefined ? null : <small>{more}</small>}
      </span>
    </label>
  )
}
