/** The exit codes. Scripts decide by these. */
export const exitCodes = {
  done: 0,
  /** A bug here, or in the server that answered. */
  broken: 1,
  /** The command line is not valid. */
  usage: 2,
  /** The address or the key is missing, or the sandbox file cannot be read. */
  settings: 3,
  /** Settlewire refused; the same command can never succeed. */
  refused: 4,
  /** A temporary failure; a change may have been made: repeat it with the same idempotency key. */
  later: 5,
  /** `watch` ended because the payment closed without being paid. */
  unpaid: 6,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const

export type ExitName = keyof typeof exitCodes
