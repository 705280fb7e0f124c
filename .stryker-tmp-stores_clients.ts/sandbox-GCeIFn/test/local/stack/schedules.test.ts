// @ts-nocheck
import { expect, test } from 'vitest'
import type { Schedule } from '../../../infra/local/stack/assembly.ts'
import { resourcesOf } from '../../../infra/local/stack/resources.ts'
import { candidatesOf, eventOf, nthCandidate } from '../../../infra/local/stack/schedules.ts'
import { fixtureFunction } from '../fixtures/functions.ts'

const HOUR_MS = 3_600_000
const lambda = fixtureFunction()
const schedule = (overrides: Partial<Schedule> = {}): Schedule => ({
  name: 'hourly-1',
  arn: 'arn:aws:scheduler:eu-central-1:000000000000:schedule/default/hourly-1',
  periodMs: HOUR_MS,
  targetArn: lambda.arn,
  input: '{"tick":"<aws.scheduler.scheduled-time>"}',
  ...overrides,
})

test('every context attribute is put in, and unknown ones are left as they are', () => {
  const names = ['schedule-arn', 'scheduled-time', 'execution-id', 'attempt-number', 'other', 'constructor'] as const
  const input = JSON.stringify(Object.fromEntries(names.map((name) => [name, `<aws.scheduler.${name}>`])))
  expect(eventOf(schedule({ input }), 0)).toEqual({
    'schedule-arn': schedule().arn,
    'scheduled-time': '1970-01-01T00:00:00Z', // without milliseconds
    'execution-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'attempt-number': '1',
    other: '<aws.scheduler.other>',
    constructor: '<aws.scheduler.constructor>',
  })
  expect(() => eventOf(schedule({ input: '{' }), 0)).toThrow('hourly-1: its input is not JSON')
})

const candidates = (...schedules: Schedule[]) => schedules.map((one) => ({ schedule: one, lambda }))
const second = schedule({ name: 'hourly-2', input: '{}' })

test('every schedule that fires a function is a candidate, unless the function only reads the lease table', () => {
  const check = fixtureFunction({ name: 'check', environment: { LEASE_TABLE: 'leases' } })
  const ofCheck = schedule({ name: 'check', targetArn: check.arn, periodMs: 1 })
  expect(candidatesOf([ofCheck, schedule(), second], [check, lambda])).toEqual(candidates(schedule(), second))
})

test.each([
  ['no schedule', [], 'declare no schedule'],
  ['a target that does not run here', [schedule({ targetArn: 'arn:other' })], 'hourly-1: its target is not a function'],
  ['periods that differ', [schedule(), schedule({ periodMs: 1 })], 'all schedules must have the same period'],
])('refuses %s', (_, schedules, message) => {
  expect(() => candidatesOf(schedules, [lambda])).toThrow(message)
})

test('a candidate beyond those that the stacks declare is a copy of their first, under its own name', () => {
  const input = '{"candidate":"hourly-1","by":"arn:of/hourly-1","tick":"<aws.scheduler.scheduled-time>"}'
  const first = schedule({ input })
  const declared = candidates(first, second)
  expect([nthCandidate(declared, 1), nthCandidate(declared, 2)]).toEqual(declared)
  const renamed = (text: string) => text.replaceAll('hourly-1', 'hourly-3')
  expect(nthCandidate(declared, 3)).toEqual({
    lambda,
    schedule: { ...first, name: 'hourly-3', arn: renamed(first.arn), input: renamed(input) },
  })
})

test('the table of the fake gateway is that of its own function, and its absence is named', () => {
  const environment = { LEASE_TABLE: 'L', SUBSCRIPTIONS_TABLE: 'S', CHARGES_TABLE: 'C' }
  const given = [{ schedule: schedule(), lambda: fixtureFunction({ environment }) }]
  const gateway = fixtureFunction({ environment: { SANDBOX_TABLE: 'G' } })
  expect(resourcesOf(given, [fixtureFunction(), gateway])).toMatchObject({ chargesTable: 'C', sandboxTable: 'G' })
  expect(() => resourcesOf(given, [fixtureFunction()])).toThrow('has the environment variable SANDBOX_TABLE')
})
