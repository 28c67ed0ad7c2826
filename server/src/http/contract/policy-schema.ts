/** The published schema of how the policy applies to one payment. */
import { statuses } from '@settlewire/core/payment/status-model'
import { z } from 'zod'
import { count, forKeys, hash, ignoredReasons, money, paymentId, stages } from './answer-schema.ts'
import { level } from './chain-schema.ts'

const tier = z.strictObject({ upTo: z.string().nullable() }).nullable().meta({
  description: 'The tier that sets the level, by its largest amount; null without a tier.',
})
const aboutMs = count.nullable().meta({
  description: 'The estimated time in ms, from measured block times; null if it is unknown.',
})
const quorum = count.meta({
  description: 'How many providers must have shown the transfer in its block.',
})
const sentence = z.string().meta({ description: 'The same in a sentence for people.' })

const rule = z.strictObject({
  asset: z.string(),
  chain: z.string(),
  level,
  tier,
  final: level,
  quorum,
  aboutMs,
  sentence,
})

const missing = z.strictObject({
  blocks: count.nullable(),
  tag: z.enum(['safe', 'finalized']).nullable(),
  sources: count,
  held: z.enum(['sources_disagree', 'finality_stalled']).nullable().meta({
    description: 'Why the transfer is not settled although it may be deep enough.',
  }),
  until: z.string().nullable().meta({
    description: 'If `held` still applies at this time, a person must decide.',
  }),
})

const transfer = z.strictObject({
  txHash: hash.nullable(),
  chain: z.string(),
  asset: z.string().nullable(),
  amount: money,
  stage: z.enum(stages),
  ignored: z.enum(ignoredReasons).nullable(),
  level: level.nullable(),
  tier,
  confirmations: count,
  sources: z
    .array(z.string())
    .optional()
    .meta({
      description: `The providers that showed the transfer in its block. ${forKeys}`,
    }),
  deniedBy: z
    .array(z.string())
    .optional()
    .meta({
      description: `The providers that report the block without the transfer. ${forKeys}`,
    }),
  quorum,
  settled: z.boolean(),
  missing,
  aboutMs,
  sentence,
})

export const policyExplanation = z
  .strictObject({
    object: z.literal('policy_explanation'),
    id: paymentId,
    status: z.enum(statuses),
    policy: z.string().meta({ description: 'The version of the policy in force.' }),
    requiredAmount: money.meta({ description: 'The amount minus the tolerance.' }),
    settledAmount: money.meta({ description: 'The sum of settled transfers.' }),
    missingAmount: money.meta({ description: 'The part that is not in any block yet.' }),
    decidedByPerson: z.boolean().meta({
      description: 'True if a person accepted the money that had arrived.',
    }),
    aboutMs,
    rules: z.array(rule).meta({ description: 'The requirements for each accepted asset.' }),
    transfers: z.array(transfer),
    sentences: z.array(z.string()).meta({ description: 'All of it in sentences for people.' }),
  })
  .meta({ id: 'PolicyExplanation', description: 'Why a payment waits, and for how long.' })
