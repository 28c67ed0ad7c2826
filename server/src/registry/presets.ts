import { arbitrum, arbitrumSepolia } from './arbitrum.ts'
import { ethereum, sepolia } from './ethereum.ts'
import { base, baseSepolia, optimism, optimismSepolia } from './op-stack.ts'
import { polygon, polygonAmoy } from './polygon.ts'
import type { Preset } from './preset.ts'

/** The public chains that need no more than providers, by the name a configuration calls them. */
export const presets = {
  ...{ ethereum, base, optimism, arbitrum, polygon },
  sepolia,
  'base-sepolia': baseSepolia,
  'optimism-sepolia': optimismSepolia,
  'arbitrum-sepolia': arbitrumSepolia,
  'polygon-amoy': polygonAmoy,
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof presets
