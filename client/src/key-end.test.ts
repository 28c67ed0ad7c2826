import { describeError, type ErrorCode } from '@settlewire/core/errors'
import { expect, it } from 'vitest'
import { keyEndStatuses, statusOf } from './key-end.ts'

it('the codes that end a stream have the statuses of the catalogue', () => {
  for (const [code, status] of Object.entries(keyEndStatuses)) {
    // A key of the table is a code: the catalogue would not know it otherwise.
    expect(describeError(code as ErrorCode).status).toBe(status)
  }
  expect(statusOf('newer_than_this_client')).toBe(401)
})
