/** The published schemas of what the routes answer. Tests check real answers against them. */
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
  description: "The chain's own id: a number on EVM chains.",
  examples: [1],
})
export const visibility = z.enum(['ok', 'degraded', 'blind']).meta({
  description:
    'How well the server sees the chains involved right now: `ok`, `degraded`, or `blind` (not at all).',
})

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]] // the catalogue's own keys

export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes).meta({
      description: 'Programs decide by this code, never by `title` or `detail`.',
    }),
    requestId: z.string().meta({ examples: [examples.request] }),
    errors: z.array(
      z.strictObject({
        pointer: z.string().meta({ description: 'JSON pointer into the request body or query.' }),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' })

const acceptance = z
  .strictObject({
    asset: z.string(),
    chain: z.string(),
    chainId,
    token: address
      .nullable()
      .meta({ description: 'The token contract; null for the native coin.' }),
    decimals: count,
    address: address.meta({
      description: 'The address to pay to. Only this payment uses it.',
    }),
    uri: z.string().nullable().meta({
      description: 'A link that wallets open, also from a QR code: EIP-681 on EVM chains.',
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

export const forKeys = 'Only in answers to API keys, not to client secrets.'

const transfer = z
  .strictObject({
    txHash: hash.nullable().meta({
      description: 'The transaction; null if the transfer cannot be attributed to a single one.',
    }),
    chain: z.string(),
    chainId: chainId.nullable(),
    asset: z.string().nullable(),
    amount: money.meta({
      description: 'The amount that counts towards the payment, in its currency.',
    }),
    units: z.string().meta({
      description: 'The amount transferred, in the smallest unit of the token.',
    }),
    decimals: count.nullable().meta({ description: 'Decimals of `units`; null if unknown.' }),
    stage: z.enum(stages),
    ignored: z.enum(ignoredReasons).nullable().meta({
      description: 'Why the transfer does not count towards the payment; null if it counts.',
    }),
    blockNumber: count.nullable(),
    blockHash: hash.nullable(),
    confirmations: count,
    requiredConfirmations: count.nullable(),
    explorerUrl: z.string().nullable(),
    from: address.optional().meta({ description: forKeys }),
    count: count.optional().meta({
      description: 'The number of small transfers, if this entry is the sum of several.',
    }),
  })
  .meta({
    id: 'Transfer',
    description: 'Money that one transaction moves to an address of the payment.',
  })

export const paymentIntent = z
  .strictObject({
    id: paymentId,
    object: z.literal('payment_intent'),
    livemode: z.boolean(),
    transactionId: z.uuid().optional().meta({ description: forKeys }),
    sequence: z.int().min(1).meta({
      description: 'The number of events so far, which is the sequence of the latest event.',
    }),
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
    reference: z.string().nullable().optional().meta({ description: forKeys }),
    metadata: z.record(z.string(), z.string()).optional().meta({ description: forKeys }),
    redirectUrl: z.string().nullable(),
    createdAt: time,
    expiresAt: time,
    monitorUntil: time.meta({
      description: 'Until then the server watches for late transfers to this payment.',
    }),
    detectedAt: time.nullable(),
    settledAt: time.nullable(),
    resolutions: z
      .array(
        z.strictObject({
          action: z.enum(resolutionActions),
          reason: z.string(),
          actor: z.string().meta({ description: 'The id of the key that made the decision.' }),
          at: time,
        }),
      )
      .optional()
      .meta({ description: `Decisions of people, oldest first. ${forKeys}` }),
    checkoutUrl: z.string().optional().meta({ description: forKeys }),
    clientSecret: z.string().optional().meta({ description: forKeys }),
  })
  .meta({ id: 'PaymentIntent', description: 'A request to be paid, and its current state.' })

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
      .meta({ description: 'With `replaced`: the transaction that `txHash` replaced.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'EventData', description: 'The same bytes over REST, SSE and the feed.' })

export const event = z
  .strictObject({
    id: eventId,
    type: z.enum(eventTypes.map((type) => `payment_intent.${type}` as const)),
    createdAt: time,
    livemode: z.boolean(),
    data: eventData,
  })
  .meta({ id: 'Event', description: 'A change of a payment, committed to its history.' })

export const paymentIntentList = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(paymentIntent),
    nextCursor: paymentId
      .nullable()
      .meta({ description: 'The `cursor` of the next page, or null.' }),
    unreadable: z.array(paymentId).optional().meta({
      description:
        'Ids of payments of this page that the server cannot read; `data` omits them. Absent if empty.',
    }),
  })
  .meta({ id: 'PaymentIntentList', description: 'Newest first.' })

export const eventList = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(event),
    hasMore: z.boolean().meta({
      description: 'Whether there are more events: request them with `after` = the last sequence.',
    }),
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
    hasMore: z.boolean().meta({
      description: 'Whether there are more events: request them with `after` = the last position.',
    }),
  })
  .meta({ id: 'Feed', description: 'Oldest first.' })

export const claimAnswer = z
  .strictObject({
    txHash: hash,
    chain: z.string().nullable().meta({
      description: 'The chain on which it was found; null while it was not found.',
    }),
    known: z.enum(['pending', 'mined', 'not_found', 'unsure']).meta({
      description:
        'What the nodes report. `not_found`: all nodes answered, and none knows the transaction. `unsure`: some nodes did not answer.',
    }),
    pays: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether it pays this payment; null while that is unknown.' }),
    message: z.string().meta({ description: 'The same in a sentence for the payer.' }),
  })
  .meta({ id: 'ClaimAnswer', description: 'What the server knows about a claimed transaction.' })

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
  .meta({
    id: 'Readiness',
    description: 'A blind chain is listed, but the server stays ready.',
  })
