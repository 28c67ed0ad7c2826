/** What the shell is told. Scripts decide by these. */
export const exitCodes = {
  done: 0,
  /** A bug here, or in what answered. */
  broken: 1,
  /** The command line does not fit. */
  usage: 2,
  /** No address, no key, or a sandbox file that cannot be read. */
  settings: 3,
  /** Settlewire refused; the same command can never succeed. */
  refused: 4,
  /** It failed for now, and a change may have been made all the same: repeat it with the same key. */
  later: 5,
  /** `watch` saw the payment close without being paid. */
  unpaid: 6,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const

export type ExitName = keyof typeof exitCodes
