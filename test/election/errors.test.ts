import { describe, expect, it } from 'vitest'
import {
  ClockSkewError,
  CorruptLeaseError,
  InvalidOptionError,
  InvalidTickError,
  LeaseError,
  LeaseLostError,
  LeaseStillHeldError,
  LeaseStoreError,
  StaleTokenError,
} from '../../functions/election/index.ts'

const cause = new Error('why')
const of = { lease: 'billing', cause }

describe('errors of the library', () => {
  it.each([
    ['LeaseError', new LeaseError('what', of)],
    ['LeaseLostError', new LeaseLostError('what', of)],
    ['LeaseStillHeldError', new LeaseStillHeldError('what', { ...of, retryAfterMs: 5 })],
    ['StaleTokenError', new StaleTokenError('what', { ...of, fencingToken: 1, seenToken: 2 })],
    ['ClockSkewError', new ClockSkewError('what', of)],
    ['InvalidTickError', new InvalidTickError('what', of)],
    ['InvalidOptionError', new InvalidOptionError('what', of)],
    ['CorruptLeaseError', new CorruptLeaseError('what', { ...of, attribute: 'step' })],
    ['LeaseStoreError', new LeaseStoreError('what', { ...of, retryable: true })],
  ])('%s goes by its name, which bundling does not change, and has its lease and cause', (name, error) => {
    expect(error).toBeInstanceOf(LeaseError)
    expect(error).toMatchObject({ name, message: 'what', lease: 'billing', cause })
  })

  it('have no cause unless one is given', () => {
    expect(new LeaseError('what')).not.toHaveProperty('cause')
    expect(new LeaseError('what').lease).toBeUndefined()
  })
})
