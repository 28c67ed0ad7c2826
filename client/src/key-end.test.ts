import { describeError, type ErrorCode } from '@settlewire/core/errors'
import { expect, it } from 'vitest'
import { keyEndStatuses, statusOf } from './key-end.ts'

it('the codes that end a stream have the same statuses as in the catalogue', () => {
  for (const [code, status] of Object.entries(keyEndStatuses)) {
    // Every key of the table is a code of the catalogue, or the lookup fails.
    expect(describeError(code as ErrorCode).status).toBe(status)
  }
  expect(statusOf('newer_than_this_client')).toBe(401)
})
