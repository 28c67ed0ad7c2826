import type { Decision } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Fence } from '../../ports/processes.ts'
import type { SubjectCommand } from './kind-writer.ts'
import type { PaymentWriter } from './writer.ts'

/** The writer methods for code that may write only under a lease. */
export type SomeWriter = Pick<PaymentWriter, 'submit' | 'onCommit'>

/** A writer that passes the lease with every command: refused once another process has it. */
export function fenced(writer: SomeWriter, fence: () => Fence | null): SomeWriter {
  return {
    submit<T>(command: SubjectCommand<Payment, Decision, T>): Promise<T> {
      const held = fence()
      if (held === null) return writer.submit(command)
      const decide: typeof command.decide = (payments) => ({
        ...command.decide(payments),
        fence: held,
      })
      return writer.submit({ ...command, decide })
    },
    onCommit: (listener) => writer.onCommit(listener),
  }
}
