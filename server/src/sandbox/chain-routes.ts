import { Failure } from '@settlewire/core/errors'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Gate } from '../ports/access.ts'
import type { ChainLevers } from './chain-levers.ts'
import { type Fault, faultModes } from './fault-proxy.ts'
import { addChainLever } from './lever.ts'
import type { SandboxProvider, SandboxProviders } from './providers.ts'

const blocksMax = 1_000
const depthMax = 256
const lagMsMax = 60_000
const lagMsDefault = 2_000

const headForm = z.strictObject({ head: z.number(), hash: z.string() })

const mode = z.enum(faultModes)
const providerForm = z.strictObject({
  name: z.string(),
  mode,
  lagMs: z.number().optional(),
  afterBytes: z.number().optional(),
  connections: z.number(),
})

const faultForm = z.strictObject({
  name: z.string().max(64).meta({ description: 'The name in `GET /v1/test/providers`.' }),
  mode: mode.meta({
    description:
      '`ok`; `outage`: connections are cut and refused; `lag`: all data arrives `lagMs` later, each way; `half_open`: connections stay open but carry no data; `drop_after`: each connection is cut after `afterBytes`.',
  }),
  lagMs: z.int().min(1).max(lagMsMax).optional(),
  afterBytes: z.int().min(0).max(1_000_000_000).optional(),
})

/** `/v1/test/chain/…` and `/v1/test/providers`: cause blocks, reorgs and provider faults. */
export const chainRoutes =
  (
    levers: Pick<ChainLevers, 'mine' | 'reorg'>,
    providers: Pick<SandboxProviders, 'list' | 'set'>,
  ) =>
  (app: FastifyInstance, gate: Gate): void => {
    addChainLever(app, gate, {
      path: 'chain/mine',
      summary: 'Mine blocks',
      description: 'Mines blocks at once and answers with the new head.',
      body: z.strictObject({ blocks: z.int().min(1).max(blocksMax) }),
      ...{ answer: headForm, refusals: [] },
      run: ({ blocks }) => levers.mine(blocks),
    })
    addChainLever(app, gate, {
      path: 'chain/reorg',
      summary: 'Reorganise the chain',
      description:
        'Replaces the last `depth` blocks. With `keep` the new blocks have the same transactions, else these are dropped. More than eight blocks revert final blocks: the server still follows this chain, but would halt any other.',
      body: z.strictObject({
        depth: z.int().min(1).max(depthMax),
        keep: z.boolean().optional().meta({ description: 'Default: false.' }),
      }),
      ...{ answer: headForm, refusals: [] },
      run: ({ depth, keep = false }) => levers.reorg(depth, keep),
    })
    addChainLever(app, gate, {
      ...{ path: 'providers', method: 'GET' },
      summary: 'List the providers of the local chain',
      description: 'Each provider with its current fault.',
      ...{ answer: z.strictObject({ data: z.array(providerForm) }), refusals: [] },
      run: async () => ({ data: providers.list().map(show) }),
    })
    addChainLever(app, gate, {
      path: 'providers',
      summary: 'Set or clear the fault of a provider',
      description: 'Sets the fault of one provider, for open and new connections.',
      ...{ body: faultForm, answer: providerForm, refusals: ['not_found'] },
      run: async ({ name, ...wish }) => show(providers.set(name, faultOf(wish))),
    })
  }

function faultOf({
  mode: wished,
  lagMs,
  afterBytes,
}: Omit<z.output<typeof faultForm>, 'name'>): Fault {
  const refuse = (member: string, needs: string): never => {
    throw new Failure('invalid_request', `${member} is only valid with the mode ${needs}.`)
  }
  if (lagMs !== undefined && wished !== 'lag') return refuse('lagMs', 'lag')
  if (afterBytes !== undefined && wished !== 'drop_after') return refuse('afterBytes', 'drop_after')
  if (wished === 'lag') return { mode: wished, lagMs: lagMs ?? lagMsDefault }
  if (wished === 'drop_after') return { mode: wished, afterBytes: afterBytes ?? 0 }
  return { mode: wished }
}

/** Without its URL, which clients do not need. */
const show = ({ url: _, ...shown }: SandboxProvider): z.output<typeof providerForm> => shown
