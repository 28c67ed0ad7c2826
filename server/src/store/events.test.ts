import { storeUnderTest } from '../../../test/support/store-under-test.ts'
import { eventStoreContract } from './contract.ts'

eventStoreContract('PostgreSQL', storeUnderTest)
