import { expect, it } from 'vitest'
import { InvalidTickError, LeaseError } from '../../functions/election/index.ts'

it.each([
  ['LeaseError', LeaseError],
  ['InvalidTickError', InvalidTickError],
])(
  'a %s goes by its name, which bundling does not change, and has a cause only if one is given',
  (name, ErrorClass) => {
    const cause = new Error('why')
    const error = new ErrorClass('what', { lease: 'billing', cause })
    expect(error).toMatchObject({ name, message: 'what', lease: 'billing', cause })
    expect(new ErrorClass('what')).not.toHaveProperty('cause')
  },
)
