import { expect, it } from 'vitest'
import * as errors from '../../functions/election/errors.ts'

it.each(Object.entries(errors))('%s has its class as its name, and its lease', (name, Class) => {
  expect(Reflect.construct(Class, ['message', { lease: 'billing' }])).toMatchObject({ name, lease: 'billing' })
})

it('a stale write and a refusal were not applied, unless the error says otherwise', () => {
  expect(new errors.StaleTokenError('stale', { lease: 'billing', fencingToken: 7 }).applied).toBe('no')
  expect(new errors.LeaseStoreError('denied', { lease: 'billing', retryable: false }).applied).toBe('no')
})

it('a checkpoint that no schema has read has no issues', () => {
  expect(new errors.CheckpointError('newer', { lease: 'billing' }).issues).toEqual([])
})
