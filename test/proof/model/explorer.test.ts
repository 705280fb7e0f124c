import { describe, expect, it } from 'vitest'
import * as rules from '../../../functions/election/rules.ts'
import { explore } from './explorer.ts'
import { SHIPPED } from './model.ts'
import { smallWorld } from './worlds.ts'

describe('the exploration of a small world', () => {
  it('goes to its end, breaks nothing, and counts the same each time', () => {
    const first = explore(smallWorld())
    expect(first).toMatchObject({ exhausted: true, breaches: [] })
    expect(first.states).toBeGreaterThan(5_000)
    expect(explore(smallWorld())).toEqual(first)
  })

  it('finds the shortest history that breaks a claim, and tells it', () => {
    const raisesNoToken: typeof rules.acquire = (record, request) => {
      const reply = rules.acquire(record, request)
      const fencingToken = record?.fencingToken ?? request.nowMs
      return reply.granted ? { granted: true, record: { ...reply.record, fencingToken } } : reply
    }
    const { breaches, exhausted } = explore(smallWorld(), { rules: { ...SHIPPED, acquire: raisesNoToken } })
    expect(exhausted).toBe(false)
    expect(breaches).toEqual([
      {
        claim: 'S2',
        what: 'token 41 is given out, but 41 was before',
        trace: [
          'the row: vacant (completed, attempt earlier), token 41, tick 0, expires -2 s, written -4 s, step 1',
          'candidate 1 (clock -0.5 s) is invoked and asks for tick 1; the acquire of candidate 1 (clock -0.5 s) arrives',
          'the row: held by candidate 1 (attempt 1.1), token 41, tick 1, expires 1.5 s, written -0.5 s, step 0',
        ],
      },
    ])
  })

  it('sees two leaders where an expiry is believed without the budget for clocks', () => {
    const withoutBudget: typeof rules.acquire = (record, request) => {
      if (record === undefined || record.expiresAtMs > request.nowMs) return rules.acquire(record, request)
      const { holder: _holder, ...vacant } = record
      return rules.acquire(vacant, request)
    }
    const { breaches } = explore(smallWorld(), { rules: { ...SHIPPED, acquire: withoutBudget } })
    expect(breaches).toHaveLength(1)
    expect(breaches[0]?.claim).toBe('S1')
    expect(breaches[0]?.trace.filter((line) => !line.startsWith('the row'))).toEqual([
      'candidate 1 (clock -0.5 s) is invoked and asks for tick 1; the acquire of candidate 1 (clock -0.5 s) arrives',
      'time passes: it is 1 s',
      'candidate 1 (clock -0.5 s) learns that it leads tick 1 with token 42',
      'candidate 2 (clock +0.5 s) is invoked and asks for tick 2; the acquire of candidate 2 (clock +0.5 s) arrives',
      'candidate 2 (clock +0.5 s) learns that it leads tick 2 with token 43',
    ])
  })

  it('goes on where a claim breaks that is not expected to hold', () => {
    const beyond = {
      ...smallWorld(),
      candidates: [
        { clockMs: -1_500, tick: 1, attempts: 1 },
        { clockMs: 1_500, tick: 2, attempts: 1 },
      ],
      claims: { hold: ['S2', 'S3', 'S5'], broken: ['S1'] },
    } as const
    const { breaches, exhausted } = explore(beyond)
    expect(exhausted).toBe(true)
    expect(breaches.map(({ claim }) => claim)).toEqual(['S1'])
  })
})
