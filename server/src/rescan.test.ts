import { Failure } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import type { RescanReport } from './ports/rescan.ts'
import { complaint } from './program.ts'
import { readArguments, wordsOf } from './rescan.ts'

describe('the command line of rescan', () => {
  it('takes a chain and blocks, or a payment', () => {
    const none = { chain: null, from: null, to: null, paymentId: null }
    expect(readArguments(['--chain', 'base', '--from', '5'])).toEqual({
      ...{ ...none, chain: 'base', from: 5 },
    })
    expect(readArguments(['--chain', 'base', '--from', '5', '--to', '5'])).toEqual({
      ...{ ...none, chain: 'base', from: 5, to: 5 },
    })
    expect(readArguments(['--payment', 'pi_1'])).toEqual({ ...none, paymentId: 'pi_1' })
    expect(readArguments(['--help'])).toBeNull()
  })

  it.each([
    ['', 'Give --chain and --from, or --payment.'],
    ['--chain base', 'Give --chain and --from, or --payment.'],
    ['--from 5', 'Give --chain and --from, or --payment.'],
    ['--payment pi_1 --from 5', 'leave out --from and --to'],
    ['--chain base --from 5 --to 4', '--to is a block before --from'],
    ['--chain base --from 0 --to 100000', 'At most 100000 blocks'],
    ['--chain base --from 0x10', '--from takes the number of a block'],
    ['--chain base --from -1', ''],
    ['--what', '--what'],
    ['everything', 'everything'],
  ])('refuses %j', (line, says) => {
    const args = line === '' ? [] : line.split(' ')
    expect(() => readArguments(args)).toThrow(says)
    expect(() => readArguments(args)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})

describe('a rescan that fails', () => {
  it('does not advise about sent transactions: it sends none', () => {
    const message = 'Block 7 was not read yet: the chain is stored up to block 5.'
    expect(complaint(new Failure('chain_unavailable', message), 'rescan')).toBe(
      `\nSettlewire cannot rescan (chain_unavailable): ${message}\n`,
    )
  })
})

describe('what rescan prints', () => {
  const none: RescanReport = {
    ...{ from: 5, to: 14, next: 15, payments: 3, findings: [], unread: 0 },
    counts: { missing: 0, unclear: 0, gone: 0 },
  }

  it('counts blocks, payments, and what was missing', () => {
    expect(wordsOf('base', none)).toBe(
      '\nRead of base: 10 blocks, 5 to 14, for 3 payments.\nMissing: 0 transfers of 0 payments.\n',
    )
  })

  it('lists findings by kind, and counts those that are not listed', () => {
    const words = wordsOf('base', {
      ...none,
      counts: { missing: 2, unclear: 0, gone: 1 },
      findings: [
        { kind: 'missing', paymentId: 'pi_1', txHash: '0xa', block: 7 },
        { kind: 'gone', paymentId: 'pi_2', txHash: '0xb', block: 8 },
      ],
    })
    expect(words).toContain('Missing: 2 transfers of 1 payment.')
    expect(words).toContain('  pi_1 0xa block 7\n  and 1 more\n')
    expect(words).toMatch(/In the history, but .+\n {2}pi_2 0xb block 8\n$/)
    expect(words).not.toContain('sum')
  })

  it('says which providers did not answer, and for how many blocks', () => {
    const partly = [
      { notReadFrom: ['node-b'], providers: 1, blocks: 64 },
      { notReadFrom: ['node-a', 'node-b'], providers: 1, blocks: 1 },
    ]
    expect(wordsOf('base', { ...none, partly })).toContain(
      'payments.\n' +
        'Read from 1 of 2 providers in 64 blocks: run it again when node-b answers.\n' +
        'Read from 1 of 3 providers in 1 block: run it again when node-a and node-b answer.\n',
    )
  })

  it('says for how many blocks balances cannot be read', () => {
    expect(wordsOf('base', { ...none, unread: 4 })).toContain('native coin in 4 blocks')
  })
})
