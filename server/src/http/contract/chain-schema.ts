/** The published schemas of chains. */
import { z } from 'zod'
import { address, chainId, count, time, visibility } from './answer-schema.ts'

export const level = z.union([z.int().min(1), z.enum(['safe', 'finalized'])]).meta({
  description: 'A number of blocks, or the tag (`safe`, `finalized`) that the block must have.',
})

const asset = {
  name: z.string().meta({
    description: 'The name to use in `accept`.',
    examples: ['USDC.local'],
  }),
  symbol: z.string(),
  currency: z.string(),
  token: address.nullable(),
  decimals: count,
}

const policy = z.strictObject({
  version: z.string().meta({ description: 'The policy version of the whole configuration.' }),
  settled: level,
  final: level,
  quorum: count.meta({ description: 'Providers that must have shown a transfer.' }),
  tiers: z
    .record(z.string(), z.array(z.strictObject({ upTo: z.string().nullable(), settled: level })))
    .meta({
      description:
        'By asset, or `*` for all others. Tiers are in rising order: the first one that the amount fits into replaces `settled`.',
    }),
  sentences: z.array(z.string()).meta({ description: 'The same in sentences for people.' }),
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
      .meta({ description: 'How long after the fastest provider its recent heads arrived.' }),
    logsAsked: count.meta({ description: "How often the server requested a block's logs." }),
    logsEmpty: count.meta({
      description:
        'How often these logs missed transfers that were found later, or were empty at first.',
    }),
    disagreements: count.meta({
      description: 'Blocks for which it reported another hash than other providers.',
    }),
    reconnects: count,
    firstSeen: count.meta({ description: 'Pending transactions that it reported first.' }),
  })
  .meta({ id: 'Provider', description: 'Counts begin at the start of the process.' })

const chain = z
  .strictObject({
    name: z.string(),
    displayName: z.string().meta({ description: 'The name for people.', examples: ['Base'] }),
    chainId,
    assets: z.array(z.strictObject(asset)).meta({
      description: 'Assets that new payments can accept now.',
    }),
    disabled: z.array(z.strictObject({ ...asset, reason: z.string() })).meta({
      description: 'Configured assets that new payments cannot accept now, with the reason.',
    }),
    native: z.strictObject({
      symbol: z.string(),
      currency: z.string(),
      decimals: count,
      accepted: z.boolean(),
    }),
    explorer: z.string().nullable().meta({
      description: 'The URL of a transaction in a block explorer, with `{hash}` as placeholder.',
    }),
    publicMempool: z.boolean().meta({
      description:
        'Whether pending transactions are visible. If not, a payment is first detected in a block.',
    }),
    policy,
    visibility,
    reason: z.string().nullable().meta({
      description: 'Why `visibility` is not `ok`, as a code.',
    }),
    head: count.nullable().meta({ description: 'The last block whose effects are stored.' }),
    headAt: time.nullable(),
    lagMs: count.nullable().meta({
      description: 'The age of `head`, but at least the time since the server read it.',
    }),
    pace: z.strictObject({
      blockMs: count.meta({ description: 'Time between two blocks.' }),
      measured: z.boolean().meta({
        description: 'True if `blockMs` is measured from recent blocks; false if configured.',
      }),
    }),
    finality: z.strictObject({
      safe: count.nullable(),
      finalized: count.nullable(),
      stalled: z.boolean().meta({
        description: 'True while `safe` or `finalized` does not advance although blocks arrive.',
      }),
    }),
    providers: z.array(provider).optional().meta({
      description: 'For secret and restricted keys only.',
    }),
  })
  .meta({ id: 'Chain', description: 'The assets of a chain, its policy and its visibility.' })

export const chainList = z
  .strictObject({ object: z.literal('list'), data: z.array(chain) })
  .meta({ id: 'ChainList', description: "The chains of the key's mode (test or live)." })
