// @ts-nocheck
import { expect, test } from 'vitest'
import { isGatewayUrl, readEnvironment } from '../../functions/billing/environment.ts'

const TABLES = { LEASE_TABLE: 'leases', SUBSCRIPTIONS_TABLE: 'subscriptions', CHARGES_TABLE: 'charges' }
const SANDBOX = { ...TABLES, GATEWAY_FUNCTION: 'sandbox' }
const REAL = { ...TABLES, GATEWAY_URL: 'https://gateway.example', GATEWAY_SECRET: 'gateway-key' }

test('A complete environment is read', () => {
  expect(readEnvironment(SANDBOX)).toEqual({
    leaseTable: 'leases',
    subscriptionsTable: 'subscriptions',
    chargesTable: 'charges',
    gateway: { kind: 'sandbox', functionName: 'sandbox' },
  })
  const gateway = { kind: 'https', url: 'https://gateway.example', secretId: 'gateway-key' }
  expect(readEnvironment({ ...REAL, GATEWAY_FUNCTION: ' ' }).gateway).toEqual(gateway)
})

test.each<[Record<string, string>, string]>([
  ...Object.keys(TABLES).map((name): [Record<string, string>, string] => [
    { ...SANDBOX, [name]: ' ' },
    `environment of the billing function is wrong: ${name} is not set`,
  ]),
  [TABLES, 'neither GATEWAY_FUNCTION nor GATEWAY_URL is set'],
  [{ ...SANDBOX, GATEWAY_URL: REAL.GATEWAY_URL }, 'GATEWAY_FUNCTION (the sandbox) is set together with GATEWAY_URL'],
  [{ ...SANDBOX, GATEWAY_SECRET: 'key' }, 'GATEWAY_FUNCTION (the sandbox) is set together with GATEWAY_URL'],
  [{ ...REAL, GATEWAY_SECRET: '' }, 'is wrong: GATEWAY_SECRET is not set'],
  [{ ...REAL, GATEWAY_URL: 'gateway.example' }, 'GATEWAY_URL is "gateway.example"; give an https:// URL'],
])('A wrong environment is an error that names the variable: %j', (variables, message) => {
  expect(() => readEnvironment(variables)).toThrow(message)
})

test.each(['https://sk_live_1:@gateway.example', 'sk_live_1@gateway', 'https://gateway.example?key=sk', 'sk_live/1@x'])(
  'A URL that may contain an API key is refused and not shown: %s',
  (GATEWAY_URL) => {
    const read = () => readEnvironment({ ...REAL, GATEWAY_URL })
    expect(read).toThrow('GATEWAY_URL is one that is not shown, as it may hold a key; give an https:// URL')
    expect(read).not.toThrow('sk')
  },
)

test.each([
  [true, 'https://gateway.example:8443/v1/ HTTPS://gateway.example http://127.0.0.1:4010 http://localhost/v1'],
  [false, 'gateway.example ftp://gateway.example localhost:8080 http://gateway.example'],
  [false, 'http://localhost.gateway.example https://user@gateway.example https://:password@gateway.example'],
  [false, 'https://gateway.example/#a'],
])('Whether a URL can be that of a gateway is %s for each of %s', (isAllowed, urls) => {
  for (const url of urls.split(' ')) expect(isGatewayUrl(url), url).toBe(isAllowed)
})

test.each(['', 'https://two words', ' https://gateway.example', 'https://gateway.example/two words'])(
  'A gateway URL has no space, and is not empty: %j',
  (url) => expect(isGatewayUrl(url)).toBe(false),
)
