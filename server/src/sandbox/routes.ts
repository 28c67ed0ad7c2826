import type { FastifyInstance } from 'fastify'
import type { Gate } from '../ports/access.ts'
import { chainRoutes } from './chain-routes.ts'
import { payRoutes } from './pay-routes.ts'
import type { Sandbox } from './start-sandbox.ts'

/** All routes that exist only in a sandbox. */
export const sandboxRoutes =
  ({ wallet, levers, providers }: Pick<Sandbox, 'wallet' | 'levers' | 'providers'>) =>
  (app: FastifyInstance, gate: Gate): void => {
    payRoutes(wallet)(app, gate)
    chainRoutes(levers, providers)(app, gate)
  }
