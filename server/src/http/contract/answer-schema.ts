/** What the routes answer, as the published contract says it. Tests hold real answers to these. */
import { type ErrorCode, errorCatalogue } from '@settlewire/core/errors'
import { resolutionActions } from '@settlewire/core/payment/observation'
import type { IgnoreReason, Stage } from '@settlewire/core/payment/payment'
import { eventTypes, flags, statuses } from '@settlewire/core/payment/status-model'
import { z } from 'zod'

const examples = {
  id: 'pi_01jd6q2v5h8x3k9m4n7p0r1s2t',
  event: 'evt_01jd6q2w7c4f5g6h7j8k9m0n1p',
  request: 'req_01jd6q2x9e1a2b3c4d5f6g7h8j',
  address: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  hash: '0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd',
} as const

const idForm = (prefix: string) => new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`)
export const paymentId = z
  .string()
  .regex(idForm('pi'))
  .meta({ examples: [examples.id] })
export const eventId = z
  .string()
  .regex(idForm('evt'))
  .meta({ examples: [examples.event] })

export const time = z.iso.datetime({ precision: 3 }).meta({
  description: 'RFC 3339, UTC, with milliseconds.',
  examples: ['2026-01-01T12:00:00.000Z'],
})
export const money = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .meta({
    description: "A decimal string in the asset's units, never a number.",
    examples: ['150.00'],
  })
export const hash = z.string().meta({ examples: [examples.hash] })
export const address = z.string().meta({ examples: [examples.address] })
export const count = z.int().min(0)
export const chainId = z.union([z.int(), z.string()]).meta({
  description: 'How the chain names itself: a number on EVM chains.',
  examples: [1],
})
export const visibility = z.enum(['ok', 'degraded', 'blind']).meta({
  description: 'Whether the chains this depends on can be seen right now.',
})

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]] // the catalogue's own keys

export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes).meta({ description: 'Decide by this, never by the words.' }),
    requestId: z.string().meta({ examples: [examples.request] }),
    errors: z.array(
      z.strictObject({
        pointer: z.string().meta({ description: 'JSON pointer into what was sent.' }),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' })

const acceptance = z
  .strictObject({
    asset: z.string(),
    chain: z.string(),
    chainId,
    token: address
      .nullable()
      .meta({ description: 'The token contract; null for the native coin.' }),
    decimals: count,
    address: address.meta({ description: 'Where to pay. It belongs to this payment alone.' }),
    uri: z.string().nullable().meta({
      description: 'What wallets open, also from a QR code: EIP-681 on EVM chains.',
    }),
  })
  .meta({ id: 'Acceptance', description: 'One way to pay.' })

export const stages = [
  ...(['claimed', 'mempool', 'preconfirmed', 'included', 'safe', 'final'] as const),
  ...(['dropped', 'replaced', 'reverted', 'reorged', 'denied', 'ignored'] as const),
] as const satisfies readonly Stage[]

export const ignoredReasons = [
  ...(['wrong_token', 'wrong_chain', 'dust', 'zero', 'paid_elsewhere', 'set_aside'] as const),
] as const satisfies readonly IgnoreReason[]

const transfer = z
  .strictObject({
    txHash: hash.nullable().meta({ description: 'Null where no one transaction can be named.' }),
    chain: z.string(),
    chainId: chainId.nullable(),
    asset: z.string().nullable(),
    amount: money.meta({ description: 'What counts of it, in the currency of the payment.' }),
    units: z.string().meta({ description: 'What moved, in the smallest unit of the token.' }),
    decimals: count.nullable().meta({ description: 'The places of `units`; null if unknown.' }),
    stage: z.enum(stages),
    ignored: z.enum(ignoredReasons).nullable().meta({ description: 'Why it does not count.' }),
    blockNumber: count.nullable(),
    blockHash: hash.nullable(),
    confirmations: count,
    requiredConfirmations: count.nullable(),
    explorerUrl: z.string().nullable(),
    from: address.optional().meta({ description: 'For keys only.' }),
    count: count.optional().meta({ description: 'How many small transfers this is the sum of.' }),
  })
  .meta({ id: 'Transfer', description: 'One movement of money.' })

export const paymentIntent = z
  .strictObject({
    id: paymentId,
    object: z.literal('payment_intent'),
    livemode: z.boolean(),
    transactionId: z.uuid().optional().meta({ description: 'For keys only.' }),
    sequence: z.int().min(1).meta({ description: 'The number of events so far.' }),
    status: z.enum(statuses),
    reason: z.string().nullable(),
    flags: z.array(z.enum(flags)),
    finality: z.enum(['none', 'safe', 'final']),
    visibility,
    amount: money,
    currency: z.string(),
    amountReceived: money,
    amountPending: money,
    accept: z.array(acceptance),
    transfers: z.array(transfer),
    reference: z.string().nullable().optional().meta({ description: 'For keys only.' }),
    metadata: z.record(z.string(), z.string()).optional().meta({ description: 'For keys only.' }),
    redirectUrl: z.string().nullable(),
    createdAt: time,
    expiresAt: time,
    monitorUntil: time.meta({ description: 'Late money is recognised until then.' }),
    detectedAt: time.nullable(),
    settledAt: time.nullable(),
    resolutions: z
      .array(
        z.strictObject({
          action: z.enum(resolutionActions),
          reason: z.string(),
          actor: z.string().meta({ description: 'The id of the key that asked for it.' }),
          at: time,
        }),
      )
      .optional()
      .meta({ description: 'What people decided, oldest first. For keys only.' }),
    checkoutUrl: z.string().optional().meta({ description: 'For keys only.' }),
    clientSecret: z.string().optional().meta({ description: 'For keys only.' }),
  })
  .meta({ id: 'PaymentIntent', description: 'A request to be paid, and what is true of it.' })

const eventData = z
  .strictObject({
    id: paymentId,
    sequence: z.int().min(1).meta({ description: '1, 2, 3 … for each payment, without a gap.' }),
    status: z.enum(statuses),
    previousStatus: z.enum(statuses).nullable(),
    txHash: hash.nullable(),
    chain: z.string().nullable(),
    chainId: chainId.nullable(),
    token: z.string().nullable(),
    confirmations: count,
    requiredConfirmations: count.nullable(),
    expectedAmount: money,
    pendingAmount: money,
    receivedAmount: money,
    flags: z.array(z.enum(flags)),
    finality: z.enum(['none', 'safe', 'final']),
    detectedAt: time.nullable(),
    settledAt: time.nullable(),
    reason: z.string().optional(),
    replacedTxHash: hash
      .optional()
      .meta({ description: 'With `replaced`: the transaction that gave way to `txHash`.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'EventData', description: 'The same bytes on every transport.' })

export const event = z
  .strictObject({
    id: eventId,
    type: z.enum(eventTypes.map((type) => `payment_intent.${type}` as const)),
    createdAt: time,
    livemode: z.boolean(),
    data: eventData,
  })
  .meta({ id: 'Event', description: 'Something that became true of a payment.' })

export const paymentIntentList = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(paymentIntent),
    nextCursor: paymentId
      .nullable()
      .meta({ description: 'The `cursor` of the next page, or null.' }),
  })
  .meta({ id: 'PaymentIntentList', description: 'Newest first.' })

export const eventList = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(event),
    hasMore: z.boolean().meta({ description: 'Whether to ask again, after the last sequence.' }),
  })
  .meta({ id: 'EventList', description: 'Oldest first.' })

export const feed = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(
      z.strictObject({
        position: z.int().min(1).meta({
          description: '1, 2, 3 … for each merchant and mode, without a gap, in commit order.',
        }),
        ...event.shape,
      }),
    ),
    hasMore: z.boolean().meta({ description: 'Whether to ask again, after the last position.' }),
  })
  .meta({ id: 'Feed', description: 'Oldest first.' })

export const claimAnswer = z
  .strictObject({
    txHash: hash,
    chain: z.string().nullable().meta({ description: 'The chain that has it; null while none.' }),
    known: z.enum(['pending', 'mined', 'not_found', 'unsure']).meta({
      description:
        'What the nodes say. `not_found`: all were asked and none has it. `unsure`: not all could be asked.',
    }),
    pays: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether it pays this payment; null while nobody can say.' }),
    message: z.string().meta({ description: 'The same, for the payer.' }),
  })
  .meta({ id: 'ClaimAnswer', description: 'What is known of a transaction that was named.' })

export const liveness = z.strictObject({ status: z.literal('alive') }).meta({ id: 'Liveness' })

export const readiness = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.record(
      z.string(),
      z.strictObject({ ok: z.boolean(), reason: z.string().nullable() }),
    ),
    chains: z.array(
      z.strictObject({
        chain: z.string(),
        visibility,
        reason: z.string().nullable(),
        head: count.nullable(),
      }),
    ),
  })
  .meta({ id: 'Readiness', description: 'A blind chain is shown, but does not stop the serving.' })
