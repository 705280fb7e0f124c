import { describe, expect, test } from 'vitest'
import { isGatewayUrl, readEnvironment } from '../../functions/billing/environment.ts'

const TABLES = {
  LEASE_TABLE: 'leases',
  LEASE_NAME: 'billing',
  SUBSCRIPTIONS_TABLE: 'subscriptions',
  CHARGES_TABLE: 'charges',
}
const SANDBOX = { ...TABLES, GATEWAY_FUNCTION: 'sandbox' }
const REAL = { ...TABLES, GATEWAY_URL: 'https://gateway.example', GATEWAY_SECRET: 'gateway-key' }

test('A complete environment is read; the length of the lease may be left out', () => {
  expect(readEnvironment(SANDBOX)).toEqual({
    leaseTable: 'leases',
    leaseName: 'billing',
    leaseMs: undefined,
    subscriptionsTable: 'subscriptions',
    chargesTable: 'charges',
    gateway: { kind: 'sandbox', functionName: 'sandbox' },
  })
  expect(readEnvironment({ ...SANDBOX, LEASE_MS: '' }).leaseMs).toBeUndefined()
  expect(readEnvironment({ ...SANDBOX, LEASE_MS: '15000' }).leaseMs).toBe(15_000)
})

test.each(Object.keys(TABLES))('%s is named when it is missing or blank', (name) => {
  expect(() => readEnvironment({ ...SANDBOX, [name]: undefined })).toThrow(`environment is wrong: ${name} is not set`)
  expect(() => readEnvironment({ ...SANDBOX, [name]: ' ' })).toThrow(`${name} is not set`)
})

test.each(['15s', '-1', '0', '1.5', 'NaN'])('LEASE_MS "%s" is refused', (LEASE_MS) => {
  expect(() => readEnvironment({ ...SANDBOX, LEASE_MS })).toThrow(`LEASE_MS is "${LEASE_MS}", not a positive number`)
})

describe('The gateway', () => {
  test('is a real one where there is a URL, and a secret with its key', () => {
    const gateway = { kind: 'https', url: 'https://gateway.example', secretId: 'gateway-key' }
    expect(readEnvironment(REAL).gateway).toEqual(gateway)
    expect(readEnvironment({ ...REAL, GATEWAY_FUNCTION: ' ' }).gateway).toEqual(gateway)
  })

  test.each([TABLES, { ...TABLES, GATEWAY_SECRET: 'gateway-key' }, { ...TABLES, GATEWAY_URL: ' ' }])(
    'must be one or the other, not neither',
    (variables) => {
      expect(() => readEnvironment(variables)).toThrow('neither GATEWAY_FUNCTION nor GATEWAY_URL is set')
    },
  )

  test.each(['GATEWAY_URL', 'GATEWAY_SECRET'] as const)('must not be both: the sandbox has no %s', (name) => {
    expect(() => readEnvironment({ ...SANDBOX, [name]: REAL[name] })).toThrow(
      'GATEWAY_FUNCTION is set, which is the sandbox, and so is GATEWAY_URL or GATEWAY_SECRET',
    )
  })

  test('that is real needs its secret', () => {
    expect(() => readEnvironment({ ...REAL, GATEWAY_SECRET: '' })).toThrow('is wrong: GATEWAY_SECRET is not set')
  })

  test.each(['http://gateway.example', 'gateway.example'])('may not be at "%s"', (GATEWAY_URL) => {
    expect(() => readEnvironment({ ...REAL, GATEWAY_URL })).toThrow(
      `GATEWAY_URL is "${GATEWAY_URL}"; give an https:// URL`,
    )
  })

  test.each([
    'https://sk_live_1:@gateway.example',
    'sk_live_1@gateway',
    'https://gateway.example?key=sk',
    'sk_live/1@x',
  ])('has its key in no URL, and what may be one in no message: %s', (GATEWAY_URL) => {
    const problem = () => readEnvironment({ ...REAL, GATEWAY_URL })
    expect(problem).toThrow(
      'GATEWAY_URL is one that is not shown, as it may hold a key; give an https:// URL without user',
    )
    expect(problem).not.toThrow('sk')
  })
})

describe('A URL for charges', () => {
  test.each([
    'https://gateway.example',
    'https://gateway.example:8443/v1/',
    'HTTPS://gateway.example',
    'http://127.0.0.1:4010',
    'http://localhost/v1',
  ])('may be %s', (url) => expect(isGatewayUrl(url)).toBe(true))

  test.each([
    '',
    'gateway.example',
    'ftp://gateway.example',
    'localhost:8080',
    'http://gateway.example',
    'http://localhost.gateway.example',
    'http://127.0.0.1@gateway.example',
    'https://user@gateway.example',
    'https://:password@gateway.example',
    'https://',
    'https://two words',
    'https://gateway.example/two words',
    ' https://gateway.example',
    'https://gateway.example/?a=b',
    'https://gateway.example/#a',
  ])('may not be %j', (url) => expect(isGatewayUrl(url)).toBe(false))
})

test('All problems are told at once', () => {
  expect(() => readEnvironment({ LEASE_MS: 'x', GATEWAY_URL: 'x' })).toThrow(
    /LEASE_TABLE.*LEASE_NAME.*LEASE_MS.*SUBSCRIPTIONS_TABLE.*CHARGES_TABLE.*GATEWAY_URL.*GATEWAY_SECRET/,
  )
})
