/** How the rules apply to one payment, as the published contract says it. */
import { statuses } from '@settlewire/core/payment/status-model'
import { z } from 'zod'
import { count, hash, ignoredReasons, money, paymentId, stages } from './answer-schema.ts'
import { level } from './chain-schema.ts'

const tier = z
  .strictObject({ upTo: z.string().nullable() })
  .nullable()
  .meta({ description: 'The tier that named the level, by its largest amount; null without one.' })
const aboutMs = count.nullable().meta({
  description: 'About so long, by the block times that were measured; null where nobody can say.',
})
const quorum = count.meta({ description: 'Providers that must have shown it in its block.' })
const sentence = z.string().meta({ description: 'The same, for people.' })

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
    description: 'What holds it back beside its depth.',
  }),
  until: z.string().nullable().meta({
    description: 'When a person is asked to decide, if providers still hold it back then.',
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
  sources: z.array(z.string()).optional().meta({
    description: 'Which providers showed it in its block. For keys only.',
  }),
  deniedBy: z.array(z.string()).optional().meta({
    description: 'Which providers have its block and say that it does not hold it. For keys only.',
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
    policy: z.string().meta({ description: 'The version of the rules in force.' }),
    requiredAmount: money.meta({ description: 'The amount less its tolerance.' }),
    settledAmount: money.meta({ description: 'What stands deep enough.' }),
    missingAmount: money.meta({ description: 'What is in no block yet.' }),
    decidedByPerson: z.boolean().meta({ description: 'A person accepted what had arrived.' }),
    aboutMs,
    rules: z.array(rule).meta({ description: 'What each way to pay requires of this payment.' }),
    transfers: z.array(transfer),
    sentences: z.array(z.string()).meta({ description: 'All of it, for people.' }),
  })
  .meta({ id: 'PolicyExplanation', description: 'Why a payment waits, and for how long.' })
