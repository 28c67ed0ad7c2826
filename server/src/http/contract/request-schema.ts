/** The schemas of requests. Input is validated here, once; code behind it trusts the types. */
import { resolutionActions } from '@settlewire/core/payment/observation'
import { statuses } from '@settlewire/core/payment/status-model'
import { textProblem } from '@settlewire/core/words/plain-text'
import { z } from 'zod'
import { paymentId } from './answer-schema.ts'

const referenceMax = 255
const urlMax = 2_048
const metadataPairsMax = 20
const metadataKeyMax = 40
const expiresInMaxSeconds = 30 * 24 * 3_600
const limitMax = 100
const limitDefault = 20
const waitMaxSeconds = 25
const sequenceMax = 2 ** 31 - 1

/** Text without hidden characters, as it was sent. */
const plainText = (max: number) =>
  z
    .string()
    .max(max)
    .check(({ value, issues }) => {
      const message = textProblem(value)
      if (message !== null) issues.push({ code: 'custom', message, input: value })
    })

/** Text that looks the same to everyone: without hidden characters, and normalized to NFC. */
const text = (max: number) =>
  // Not `transform`: zod prints no examples of transformed schemas.
  plainText(max).normalize('NFC').max(max)

/**
 * Pairs whose keys look different to everyone. The keys are normalized together and not each for
 * itself: zod would keep the last of two keys that become equal, and drop the other silently.
 */
const metadata = z
  .record(plainText(metadataKeyMax).min(1), text(500))
  .check(({ value, issues }) => {
    const seen = new Set<string>()
    for (const key of Object.keys(value)) {
      const message = keyProblem(key.normalize('NFC'), seen)
      if (message !== null) issues.push({ code: 'custom', message, input: value, path: [key] })
    }
  })
  .overwrite((pairs) =>
    Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key.normalize('NFC'), value])),
  )
  .refine((pairs) => Object.keys(pairs).length <= metadataPairsMax, {
    message: `At most ${metadataPairsMax} pairs.`,
  })

/** Why a normalized key is refused, given the ones before it; null if it is accepted. */
function keyProblem(key: string, seen: Set<string>): string | null {
  if (seen.has(key)) return 'Two keys are the same text in Unicode normal form C: send only one.'
  seen.add(key)
  return key.length > metadataKeyMax
    ? `Must have at most ${metadataKeyMax} characters in Unicode normal form C.`
    : null
}

/** Stored as the URL standard serializes it, so that every browser opens the same page. */
const webUrl = text(urlMax)
  .check(({ value, issues }) => {
    const message = urlProblem(value)
    if (message !== null) issues.push({ code: 'custom', message, input: value })
  })
  .overwrite((value) => URL.parse(value)?.href ?? value)
  .meta({ format: 'uri' })

function urlProblem(value: string): string | null {
  const url = /^https?:\/\//i.test(value) ? URL.parse(value) : null
  if (url === null) {
    return 'Must be an absolute http or https URL, such as https://shop.example/thanks.'
  }
  if (url.username !== '' || url.password !== '') return 'Must not hold a user name or a password.'
  return url.href.length > urlMax
    ? `Must have at most ${urlMax} characters after percent-encoding.`
    : null
}

export const createPaymentIntent = z
  .strictObject({
    amount: z.string().max(100).meta({
      description:
        'A decimal string. The accepted asset with the fewest decimals limits how many it can have.',
    }),
    currency: z.string().regex(/^[A-Z][A-Z0-9]{1,11}$/, 'Must be a currency code such as USDC.'),
    accept: z
      .array(z.string().regex(/^[A-Za-z0-9]{1,16}\.[a-z0-9-]{1,32}$/, 'Must be SYMBOL.chain.'))
      .min(1)
      .max(20)
      .optional()
      .meta({
        description:
          'Assets as `SYMBOL.chain`, from `GET /v1/chains`. Default: all assets of the currency.',
      }),
    expiresIn: z.int().min(1).max(expiresInMaxSeconds).optional().meta({
      description: 'Seconds from now. Default: 1800.',
    }),
    reference: text(referenceMax)
      .nullish()
      .meta({ description: "The merchant's own id for the payment, such as an order number." }),
    metadata: metadata
      .optional()
      .meta({ description: 'At most 20 pairs; keys up to 40, values up to 500 characters.' }),
    confirmationPolicy: z.literal('default').optional(),
    redirectUrl: webUrl.nullish().meta({
      description:
        'The page to return to after payment: an absolute http or https URL. Stored as the URL standard serializes it.',
    }),
  })
  .meta({
    id: 'CreatePaymentIntent',
    examples: [
      {
        amount: '150.00',
        currency: 'USDC',
        accept: ['USDC.local'],
        expiresIn: 1800,
        reference: 'order-42',
        metadata: {},
        redirectUrl: 'https://shop.example/thanks',
      },
    ],
  })

export const cancelPaymentIntent = z
  .strictObject({
    reason: text(200).min(1).optional().meta({ description: 'Stored in the history.' }),
  })
  .nullish()
  .transform((body) => body ?? {})

/** A hash or address. The kind of chain defines its format and whether case matters. */
const nameOnChain = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Must be 1 to 128 visible characters.')

export const claimTransaction = z
  .strictObject({
    txHash: nameOnChain.meta({ description: 'The transaction hash, as the wallet shows it.' }),
    chain: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/, 'Must be the name of a chain.')
      .optional()
      .meta({ description: 'Default: all chains that the payment accepts.' }),
  })
  .meta({
    id: 'ClaimTransaction',
    examples: [{ txHash: `0x${'4e3a3754410177e6'.repeat(4)}`, chain: 'local' }],
  })

export const resolvePaymentIntent = z
  .strictObject({
    action: z.enum(resolutionActions).meta({
      description:
        '`accept`: the money that arrived is enough; `wait`: the rest may still arrive until `monitorUntil`; `refund_noted`: the merchant refunded the money; `dismiss`: the money is not for this payment.',
    }),
    reason: text(200).min(1).meta({ description: 'Stored in the history, for audits.' }),
  })
  .meta({
    id: 'ResolvePaymentIntent',
    examples: [{ action: 'accept', reason: 'The customer service agreed to 148.00.' }],
  })

/** Loose on purpose: a malformed id gets the same answer as an unknown one. */
export const idParams = z.object({ id: z.string() }).meta({ examples: [{ id: 'pi_…' }] })

/** Numbers in a query are text; only plain decimal digits are parsed as a number. */
const whole = (min: number, max: number) =>
  z.preprocess(
    (value) =>
      typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value,
    z.int().min(min).max(max),
  )

const limit = whole(1, limitMax).default(limitDefault)

export const listQuery = z.strictObject({
  status: z.enum(statuses).optional(),
  reference: text(referenceMax).optional(),
  txHash: nameOnChain.optional(),
  address: nameOnChain.optional(),
  cursor: paymentId.optional(),
  limit,
})

/** How long a reader follows a payment. */
export const until = z.literal('final').optional().meta({
  description:
    '`final`: after `succeeded`, go on until `finality` is `final`. `failed` and `cancelled` end it too, and so does `expired` once `monitorUntil` has passed.',
})

export const eventsQuery = z.strictObject({
  after: whole(0, sequenceMax).default(0),
  limit,
  wait: whole(0, waitMaxSeconds).default(0),
  until,
})

/** `lastEventId` is loose on purpose: a malformed id is answered with a `reset` event. */
export const streamQuery = z.strictObject({
  lastEventId: z.string().optional().meta({
    description: 'Like the header `Last-Event-ID`. The header wins if both are sent.',
  }),
  until,
})

export const feedQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER).default(0),
  limit,
})

/** Where the stream of a feed begins. */
export const feedStreamQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  lastEventId: z.string().optional(),
})

export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters.')
    .optional()
    .meta({ description: 'The same key and body get the same answer; another body gets 422.' }),
})
