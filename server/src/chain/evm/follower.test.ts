import { openAnvilLab, openFakeLab } from '../../../../test/support/evm/labs.ts'
import { chainFollowerContract } from '../contract.ts'

chainFollowerContract('EVM on a real anvil', openAnvilLab)
chainFollowerContract('EVM on a node of our own making', openFakeLab)
