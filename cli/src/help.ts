import { commands } from './commands.ts'
import { exitCodes } from './exit-code.ts'

/** The options of single commands: the form of the value, and what it means. */
const optionWords: Readonly<Record<string, readonly [value: string, meaning: string]>> = {
  accept: ['<asset>', 'an asset to accept, such as USDC.base; may be repeated'],
  quiet: ['', 'prints the id only'],
  'expires-in': ['<seconds>', 'how long the payer has; 1800 if it is left out'],
  reference: ['<text>', 'your own id, such as that of the order'],
  metadata: ['<key>=<value>', 'is stored with the payment; may be repeated'],
  'redirect-url': ['<url>', 'where the checkout links back to'],
  'idempotency-key': ['<key>', 'makes it safe to repeat the command: the request is executed once'],
  status: ['<status>', 'only payments with this status'],
  'tx-hash': ['<hash>', 'only payments that this transaction pays'],
  address: ['<address>', 'only the payment with this address'],
  limit: ['<number>', 'at most so many, up to 100'],
  cursor: ['<cursor>', 'the next page, from the note below a list'],
  reason: ['<text>', 'is stored with the decision'],
  after: ['<number>', 'only events after the one with this number'],
  wait: ['<seconds>', 'if there is no event yet, waits for one, at most 25 seconds'],
  chain: ['<name>', 'the chain of the transaction; all are searched if it is left out'],
}

const commonOptions = `  --json             one JSON value per line, with every hash in full
  --sandbox <path>   the sandbox.json of a running sandbox: its address and its key; left out:
                     .settlewire/sandbox.json in the current folder, if no address is set
  --url <address>    the address of Settlewire`

const columnsMax = 100

/** A text in lines that fit a terminal. */
function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= columnsMax)
      lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

const codes = Object.entries(exitCodes).map(([name, code]) => `${code} ${name}`)

const rest = `${wrapped("Environment: SETTLEWIRE_URL (the address), SETTLEWIRE_KEY (used instead of the sandbox's own key, unless --sandbox is given).")}
${wrapped(`Exit codes (merchant, key, audit and rescan have their own: see docs/operating.md): ${codes.join(', ')}.`)}
`

/** The help of the whole program. */
export const help = `settlewire: create and follow payments from a terminal.

${Object.values(commands)
  .map(({ usage, does }) => `  npx settlewire ${usage}\n      ${does}`)
  .join('\n')}
  npx settlewire merchant create|list|show|rename|disable|enable
      registers merchants in the database; see npx settlewire merchant --help
  npx settlewire key create|list|rename|rotate|revoke
      makes, renames and revokes keys in the database; see npx settlewire key --help
  npx settlewire audit [--merchant <id>] [--mode live|test] [--from-dump <file>]
      checks the history in the database, or in a dump of it, for contradictions
  npx settlewire rescan --chain <name> --from <block> [--to <block>], or --payment <id>
      reads blocks again, to find money that the history lacks

${commonOptions}
  --help             after a command: its options
  --version          the version of this program

${rest}`

/** The help of one command, with all of its options. */
export function helpOf({ usage, does, takes }: (typeof commands)[string]): string {
  const own = takes.flatMap((name) => {
    const [value, meaning] = optionWords[name] ?? []
    return meaning === undefined ? [] : [`  ${`--${name} ${value}`.padEnd(30)} ${meaning}`]
  })
  return `npx settlewire ${usage}\n    ${does}\n\n${[...own, commonOptions].join('\n')}\n\n${rest}`
}
