/** What a run looks up in the environment variables of the stack's functions. */
import { expect, test } from 'vitest'
import { resourcesOf } from '../../../infra/local/stack/resources.ts'
import { fixtureFunction } from '../fixtures/functions.ts'

test('the table of the fake gateway is that of its own function, and its absence is named', () => {
  const environment = { LEASE_TABLE: 'L', SUBSCRIPTIONS_TABLE: 'S', CHARGES_TABLE: 'C' }
  const schedule = { name: 's', arn: 'arn', targetArn: 'arn', input: '{}', periodMs: 1 }
  const candidates = [{ schedule, lambda: fixtureFunction({ environment }) }]
  const gateway = fixtureFunction({ environment: { SANDBOX_TABLE: 'G' } })
  expect(resourcesOf(candidates, [fixtureFunction(), gateway])).toMatchObject({ chargesTable: 'C', sandboxTable: 'G' })
  expect(() => resourcesOf(candidates, [fixtureFunction()])).toThrow('has the environment variable SANDBOX_TABLE')
})
