/** What the routes take. Everything is checked here, once; behind it the types are trusted. */
import { resolutionActions } from '@settlewire/core/payment/observation'
import { statuses } from '@settlewire/core/payment/status-model'
import { textProblem } from '@settlewire/core/words/plain-text'
import { z } from 'zod'
import { paymentId } from './answer-schema.ts'

const referenceMax = 255
const urlMax = 2_048
const metadataPairsMax = 20
const expiresInMaxSeconds = 30 * 24 * 3_600
const limitMax = 100
const limitDefault = 20
const waitMaxSeconds = 25
const sequenceMax = 2 ** 31 - 1

/** Text that reads the same for all: without hidden characters, and in the one form that NFC gives it. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .check(({ value, issues }) => {
      const message = textProblem(value)
      if (message !== null) issues.push({ code: 'custom', message, input: value })
    })
    // Not `transform`: zod prints no examples of what is transformed.
    .normalize('NFC')
    .max(max)

/** Kept as the URL standard prints what it read, so that every browser goes to the same place. */
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
  return url.href.length > urlMax ? `Must have at most ${urlMax} characters, encoded.` : null
}

export const createPaymentIntent = z
  .strictObject({
    amount: z.string().max(100).meta({
      description: 'A decimal string; no more places than the coarsest of the accepted assets.',
    }),
    currency: z.string().regex(/^[A-Z][A-Z0-9]{1,11}$/, 'Must be a currency code such as USDC.'),
    accept: z
      .array(z.string().regex(/^[A-Za-z0-9]{1,16}\.[a-z0-9-]{1,32}$/, 'Must be SYMBOL.chain.'))
      .min(1)
      .max(20)
      .optional()
      .meta({
        description:
          'Assets as `SYMBOL.chain`, from `GET /v1/chains`. Left out: all of the currency.',
      }),
    expiresIn: z.int().min(1).max(expiresInMaxSeconds).optional().meta({
      description: 'Seconds, 1800 when left out.',
    }),
    reference: text(referenceMax)
      .nullish()
      .meta({ description: "The merchant's own name for it." }),
    metadata: z
      .record(text(40).min(1), text(500))
      .refine((pairs) => Object.keys(pairs).length <= metadataPairsMax, {
        message: `At most ${metadataPairsMax} pairs.`,
      })
      .optional()
      .meta({ description: 'At most 20 pairs; keys up to 40, values up to 500 characters.' }),
    confirmationPolicy: z.literal('default').optional(),
    redirectUrl: webUrl.nullish().meta({
      description:
        'Where the page leads when it is paid: an absolute http or https URL. Kept as the URL standard prints it.',
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
    reason: text(200).min(1).optional().meta({ description: 'Kept in the history.' }),
  })
  .nullish()
  .transform((body) => body ?? {})

/** What names something on a chain. Its kind says how it is written, and whether case matters. */
const nameOnChain = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'Must be 1 to 128 visible characters.')

export const claimTransaction = z
  .strictObject({
    txHash: nameOnChain.meta({ description: 'As the wallet shows it.' }),
    chain: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/, 'Must be the name of a chain.')
      .optional()
      .meta({ description: 'Left out: every chain that the payment accepts is asked.' }),
  })
  .meta({
    id: 'ClaimTransaction',
    examples: [{ txHash: `0x${'4e3a3754410177e6'.repeat(4)}`, chain: 'local' }],
  })

export const resolvePaymentIntent = z
  .strictObject({
    action: z.enum(resolutionActions).meta({
      description:
        '`accept` what is there as enough; `wait`: what is missing may still come until `monitorUntil`; `refund_noted`: the money was given back; `dismiss`: it is of no concern here.',
    }),
    reason: text(200).min(1).meta({ description: 'Kept in the history, for those who audit it.' }),
  })
  .meta({
    id: 'ResolvePaymentIntent',
    examples: [{ action: 'accept', reason: 'The customer service agreed to 148.00.' }],
  })

/** Loose on purpose: an id that is none is answered like one that is unknown. */
export const idParams = z.object({ id: z.string() }).meta({ examples: [{ id: 'pi_…' }] })

/** Numbers in a query are text; only plain decimal digits are read as one. */
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

/** How far a reader follows a payment. */
export const until = z.literal('final').optional().meta({
  description:
    '`final`: the end is not `succeeded` but a `finality` of `final`; or `failed`, `cancelled`, or `expired` past `monitorUntil`.',
})

export const eventsQuery = z.strictObject({
  after: whole(0, sequenceMax).default(0),
  limit,
  wait: whole(0, waitMaxSeconds).default(0),
  until,
})

/** Loose where clients cannot help it: an id that is none of ours is answered with a reset. */
export const streamQuery = z.strictObject({
  lastEventId: z.string().optional().meta({
    description: 'As the header `Last-Event-ID`, which wins where both are sent.',
  }),
  until,
})

export const feedQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER).default(0),
  limit,
})

export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters.')
    .optional()
    .meta({ description: 'The same key and body get the same answer; another body gets 422.' }),
})
