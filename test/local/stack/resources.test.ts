/** What a run looks up in the environment variables of the stack's functions. */
import { expect, test } from 'vitest'
import type { LambdaFunction } from '../../../infra/local/lambda-host/lambda-function.ts'
import { TemplateError } from '../../../infra/local/stack/intrinsics.ts'
import { resourcesOf } from '../../../infra/local/stack/resources.ts'

const { LEASE_TABLE, ...TABLES } = { LEASE_TABLE: 'L', SUBSCRIPTIONS_TABLE: 'S', CHARGES_TABLE: 'C' }
const lambda = (environment: LambdaFunction['environment']): LambdaFunction => ({
  ...{ name: 'f', arn: 'arn', directory: '.', handler: 'index.handler', environment },
  ...{ timeoutMs: 1, memoryMb: 128, retries: 2, maxEventAgeMs: 1 },
})
const schedule = { name: 's', arn: 'arn', targetArn: 'arn', input: '{}', periodMs: 1 }
const candidate = (environment: LambdaFunction['environment']) => ({ schedule, lambda: lambda(environment) })

test('the table of the fake gateway is that of its own function, and its absence is named', () => {
  const candidates = [candidate({ LEASE_TABLE, ...TABLES })]
  const found = resourcesOf(candidates, [lambda({}), lambda({ SANDBOX_TABLE: 'G' })])
  expect(found).toMatchObject({ leaseTable: 'L', subscriptionsTable: 'S', chargesTable: 'C', sandboxTable: 'G' })
  expect(() => resourcesOf(candidates, [lambda({})])).toThrow(TemplateError)
  expect(() => resourcesOf(candidates, [])).toThrow('has the environment variable SANDBOX_TABLE')
  expect(() => resourcesOf([candidate(TABLES)], [])).toThrow('has the environment variable LEASE_TABLE')
})
