import { silentLog } from '../log.ts'
import { backplaneContract } from './contract.ts'
import { MemoryBackplane } from './memory.ts'

backplaneContract('in-process', async () => {
  const both = new MemoryBackplane(silentLog)
  return { near: both, far: both, close: () => both.close() }
})
