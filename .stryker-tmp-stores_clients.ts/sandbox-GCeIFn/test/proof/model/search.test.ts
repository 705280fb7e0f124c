// @ts-nocheck
import { expect, it } from 'vitest'
import { type Rules, SHIPPED } from './model.ts'
import { searchWorld } from './search.ts'
import { smallWorld } from './world.ts'

const events = (trace: readonly string[] = []) => trace.filter((line) => !line.startsWith('the row'))

it('visits every state of a small world, and breaks nothing', () => {
  const { states, violations, isExhausted } = searchWorld(smallWorld())
  expect(isExhausted).toBe(true)
  expect(violations.size).toBe(0)
  expect(states).toBe(9_854)
})

it('finds two leaders if an expiry is believed without the clock budget, by a shortest history', () => {
  const withoutBudget: Rules['acquire'] = (record, request) => {
    if (record === undefined || record.expiresAtMs > request.nowMs) return SHIPPED.acquire(record, request)
    const { holder: _holder, ...vacant } = record
    return SHIPPED.acquire(vacant, request)
  }
  const { violations, isExhausted } = searchWorld(smallWorld(), { ...SHIPPED, acquire: withoutBudget })
  expect(isExhausted).toBe(false)
  expect(events(violations.get('S1')?.trace)).toEqual([
    'candidate 1 (clock -0.5 s): its request arrives (acquire)',
    'time passes: it is 1 s',
    'candidate 1 (clock -0.5 s): it learns that it won, and its task begins',
    'candidate 2 (clock +0.5 s): its request arrives (acquire)',
    'candidate 2 (clock +0.5 s): it learns that it won, and its task begins',
  ])
})
