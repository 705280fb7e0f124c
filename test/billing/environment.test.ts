import { expect, test } from 'vitest'
import { readEnvironment } from '../../functions/billing/environment.ts'

const GOOD = {
  LEASE_TABLE: 'leases',
  LEASE_NAME: 'billing',
  SUBSCRIPTIONS_TABLE: 'subscriptions',
  CHARGES_TABLE: 'charges',
  GATEWAY_URL: 'https://gateway.example/v1',
}

test('A complete environment is read; the length of the lease may be left out', () => {
  expect(readEnvironment(GOOD)).toEqual({
    leaseTable: 'leases',
    leaseName: 'billing',
    leaseMs: undefined,
    subscriptionsTable: 'subscriptions',
    chargesTable: 'charges',
    gatewayUrl: 'https://gateway.example/v1',
  })
  expect(readEnvironment({ ...GOOD, LEASE_MS: '' }).leaseMs).toBeUndefined()
  expect(readEnvironment({ ...GOOD, LEASE_MS: '15000' }).leaseMs).toBe(15_000)
})

test.each(Object.keys(GOOD))('%s is named when it is missing or blank', (name) => {
  expect(() => readEnvironment({ ...GOOD, [name]: undefined })).toThrow(`environment is wrong: ${name} is not set`)
  expect(() => readEnvironment({ ...GOOD, [name]: ' ' })).toThrow(`${name} is not set`)
})

test.each(['15s', '-1', '0', '1.5', 'NaN'])('LEASE_MS "%s" is refused', (LEASE_MS) => {
  expect(() => readEnvironment({ ...GOOD, LEASE_MS })).toThrow(`LEASE_MS is "${LEASE_MS}", not a positive number`)
})

test.each(['gateway.example', 'ftp://gateway.example', 'localhost:8080'])(
  'GATEWAY_URL "%s" is refused',
  (GATEWAY_URL) => {
    expect(() => readEnvironment({ ...GOOD, GATEWAY_URL })).toThrow(`GATEWAY_URL is "${GATEWAY_URL}", not a URL`)
  },
)

test('All problems are told at once', () => {
  expect(() => readEnvironment({ LEASE_MS: 'x' })).toThrow(
    /LEASE_TABLE.*LEASE_NAME.*LEASE_MS.*SUBSCRIPTIONS_TABLE.*CHARGES_TABLE.*GATEWAY_URL/,
  )
})
