import type { WireAcceptance } from '@settlewire/core/wire/wire'
import { type ReactNode, useState } from 'react'
import { CopyButton } from './copyable.tsx'
import { Figure, isLong } from './figure.tsx'
import { grouped, inFours, uriFor } from './money.ts'
import type { PayerApi } from './payer-api.ts'
import { chainNameOf, type ShownPayment } from './payment.ts'
import { Qr } from './qr.tsx'
import { SandboxWallet } from './sandbox-wallet.tsx'
import type { Screen } from './screen.ts'
import { Sentence } from './sentence.tsx'
import { words } from './words.ts'

interface Props {
  readonly shown: ShownPayment
  readonly screen: Screen
  readonly choice: {
    readonly accept: WireAcceptance
    readonly chosen: number
    readonly choose: (index: number) => void
  }
  /** Null if there is no sandbox wallet. */
  readonly sandbox: PayerApi | null
  readonly announce: (text: string) => void
}

/** How to pay: the amount, the address and the network. */
export function PayPanel({ shown, screen, choice, sandbox, announce }: Props): ReactNode {
  const { payment } = shown
  const { accept } = choice
  // Address first: some wallets misread the link and send to the token's contract.
  const [showsLink, showLink] = useState(false)
  const chain = chainNameOf(shown, accept.chain)
  const uri = uriFor(accept, screen.toSend)
  return (
    <>
      {payment.accept.length > 1 ? <Choice shown={shown} {...choice} /> : null}
      <Qr
        text={showsLink && uri !== null ? uri : accept.address}
        label={
          showsLink && uri !== null
            ? words.qrAlt(grouped(screen.toSend), accept.asset, chain)
            : words.qrAddressAlt
        }
      />
      {uri === null ? null : (
        <fieldset className="toggle">
          <legend className="aloud">{words.qrHolds}</legend>
          <Option
            name="qr"
            label={words.qrAddressOnly}
            on={!showsLink}
            pick={() => showLink(false)}
          />
          <Option name="qr" label={words.qrWithAmount} on={showsLink} pick={() => showLink(true)} />
        </fieldset>
      )}
      <div className="facts">
        <div className="fact" data-long={isLong(screen.toSend)}>
          <span className="fact-name">{screen.isPart ? words.sendMissing : words.sendExactly}</span>
          <span className="fact-value">
            <Figure amount={screen.toSend} unit={accept.asset} />
          </span>
          <CopyButton what="amount" text={screen.toSend} announce={announce} />
        </div>
        <div className="fact">
          <span className="fact-name">{words.toAddress}</span>
          <Address address={accept.address} />
          <CopyButton what="address" text={accept.address} announce={announce} />
        </div>
        <div className="fact">
          <span className="fact-name">{words.onNetwork}</span>
          <span className="fact-value">{chain}</span>
        </div>
      </div>
      <p className="caution">{words.onlyThis(accept.asset, chain, payment.accept.length > 1)}</p>
      {uri === null ? null : (
        <>
          <p className="caution compare" data-code={showsLink}>
            <Sentence text={words.compareRecipient(...endsOf(accept.address))} />
          </p>
          <a className="button button-quiet wallet" href={uri}>
            {words.openWallet}
          </a>
        </>
      )}
      {sandbox === null ? null : (
        <SandboxWallet accept={accept} api={sandbox} announce={announce} />
      )}
    </>
  )
}

/** The two ends of an address, which people compare. */
const endsOf = (address: string): [start: string, end: string] => [
  `${address.slice(0, 6)}…`,
  `…${address.slice(-4)}`,
]

function Address({ address }: { address: string }): ReactNode {
  return (
    <code className="fact-value address" translate="no">
      {inFours(address).map((four, i) => (
        // Two groups can be equal, so the position is the key.
        // biome-ignore lint/suspicious/noArrayIndexKey: an address never changes its order
        <span key={i}>{four}</span>
      ))}
    </code>
  )
}

function Choice({
  shown,
  chosen,
  choose,
}: {
  shown: ShownPayment
  chosen: number
  choose: (index: number) => void
}): ReactNode {
  return (
    <fieldset className="choice">
      <legend className="fact-name">{words.payWith}</legend>
      {shown.payment.accept.map(({ asset, chain }, i) => (
        <Option
          key={`${asset}.${chain}`}
          name="asset"
          label={asset}
          more={chainNameOf(shown, chain)}
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
