import { arbitrum, arbitrumSepolia } from './arbitrum.ts'
import { ethereum, sepolia } from './ethereum.ts'
import { base, baseSepolia, optimism, optimismSepolia } from './op-stack.ts'
import { polygon, polygonAmoy } from './polygon.ts'
import type { Preset } from './preset.ts'

/** Presets of public chains by their name in the configuration, which only adds providers. */
export const presets = {
  ethereum,
  base,
  optimism,
  arbitrum,
  polygon,
  sepolia,
  'base-sepolia': baseSepolia,
  'optimism-sepolia': optimismSepolia,
  'arbitrum-sepolia': arbitrumSepolia,
  'polygon-amoy': polygonAmoy,
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof presets
