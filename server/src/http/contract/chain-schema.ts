/** What is told of chains, as the published contract says it. */
import { z } from 'zod'
import { address, chainId, count, time, visibility } from './answer-schema.ts'

export const level = z.union([z.int().min(1), z.enum(['safe', 'finalized'])]).meta({
  description: 'So many blocks, or the tag that its nodes must have given.',
})

const asset = {
  name: z.string().meta({ description: 'For `accept`.', examples: ['USDC.local'] }),
  symbol: z.string(),
  currency: z.string(),
  token: address.nullable(),
  decimals: count,
}

const policy = z.strictObject({
  version: z.string().meta({ description: 'Of the whole configuration.' }),
  settled: level,
  final: level,
  quorum: count.meta({ description: 'Providers that must have shown a transfer.' }),
  tiers: z
    .record(z.string(), z.array(z.strictObject({ upTo: z.string().nullable(), settled: level })))
    .meta({
      description:
        'By asset, or `*`: of the tiers in rising order the first that fits takes the place of `settled`.',
    }),
  sentences: z.array(z.string()).meta({ description: 'The same, for people.' }),
})

const provider = z
  .strictObject({
    name: z.string(),
    visibility,
    reason: z.string().nullable(),
    head: count.nullable(),
    lagBlocks: count.meta({ description: 'Blocks behind the best provider.' }),
    lagMs: z
      .number()
      .min(0)
      .meta({ description: 'So long after the best its heads come, lately.' }),
    logsAsked: count.meta({ description: 'Blocks it was asked the logs of.' }),
    logsEmpty: count.meta({ description: 'Of these: empty answers that were wrong.' }),
    disagreements: count.meta({ description: 'Blocks that it named otherwise than others.' }),
    reconnects: count,
    firstSeen: count.meta({ description: 'Pending transactions that it was the first to show.' }),
  })
  .meta({ id: 'Provider', description: 'Counts are since the start of the process.' })

const chain = z
  .strictObject({
    name: z.string(),
    displayName: z.string().meta({ description: 'What people call it.', examples: ['Base'] }),
    chainId,
    assets: z.array(z.strictObject(asset)).meta({ description: 'What can be asked for now.' }),
    disabled: z
      .array(z.strictObject({ ...asset, reason: z.string() }))
      .meta({ description: 'Configured, and not taken right now: why, in words.' }),
    native: z.strictObject({
      symbol: z.string(),
      currency: z.string(),
      decimals: count,
      accepted: z.boolean(),
    }),
    explorer: z.string().nullable().meta({ description: 'An address with `{hash}` in it.' }),
    publicMempool: z.boolean().meta({
      description:
        'Whether pending transactions can be seen. Elsewhere a payment begins in a block.',
    }),
    policy,
    visibility,
    reason: z.string().nullable().meta({ description: 'Why it is not `ok`, as a code.' }),
    head: count.nullable().meta({ description: 'The last block whose effects are stored.' }),
    headAt: time.nullable(),
    lagMs: count.nullable().meta({
      description: 'The age of that block, and no less than the time since it was read.',
    }),
    pace: z.strictObject({
      blockMs: count.meta({ description: 'Between two blocks.' }),
      measured: z.boolean().meta({ description: 'As seen lately, and not as configured.' }),
    }),
    finality: z.strictObject({
      safe: count.nullable(),
      finalized: count.nullable(),
      stalled: z.boolean().meta({ description: 'A tag stands still while blocks come.' }),
    }),
    providers: z.array(provider).optional().meta({
      description: 'For secret and restricted keys only.',
    }),
  })
  .meta({ id: 'Chain', description: 'What can be paid with on it, its rules, and how it is seen.' })

export const chainList = z
  .strictObject({ object: z.literal('list'), data: z.array(chain) })
  .meta({ id: 'ChainList', description: 'The chains of the mode of the key.' })
