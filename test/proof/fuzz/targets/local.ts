/** What a user gives to a local run: a file of customers, flags, a scenario. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll } from 'vitest'
import { readDueSubscription } from '../../../../functions/billing/subscription.ts'
import { CustomersFileError, readCustomers } from '../../../../infra/local/billing/csv.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { parseDevOptions, parseOptions } from '../../../../infra/local/cli/options.ts'
import { FaultError, MANUAL_FAULTS, readScenario, type ScheduledFault } from '../../../../infra/local/faults/fault.ts'
import { OptionError } from '../../../../infra/programs/flags.ts'
import { toCsv } from '../../../support/customers-csv.ts'
import { hostileJson, hostileText, nearly, nearlyText } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const SCRATCH = mkdtempSync(join(tmpdir(), 'tenure-fuzz-'))
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }))

const FILE = join(SCRATCH, 'customers.csv')
const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone,paymentMethod'
const pieces = fc.oneof(
  hostileText,
  fc.constantFrom(',', '"', '""', ';', '\t', '\r', '\n\n', '\ufeff', '-', '0', 'customer', 'Europe/Berlin', 'Pacific'),
  fc.constantFrom('4242 4242 4242 4242', '\n=1+1,x,y,month,5,EUR,2024-02-30,UTC,', `\n${HEADER}`),
)
const csv = fc
  .tuple(fc.nat(99), fc.integer({ min: 0, max: 4 }), fc.oneof(fc.constant(HEADER), nearlyText(fc.constant(HEADER))))
  .map(([seed, count, header]) => toCsv(generateCustomers(seed, count)).replace(HEADER, () => header))
const file: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: nearlyText(csv, pieces).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
)

async function readFile(bytes: Uint8Array): Promise<void> {
  writeFileSync(FILE, bytes)
  const subscriptions = await readCustomers(FILE)
  assert(subscriptions.length > 0, 'no customer was read')
  // What is loaded must be what the task can charge.
  for (const subscription of subscriptions) readDueSubscription({ ...subscription }, subscription.dueAt)
  const keys = new Set(subscriptions.map(({ customer, plan }) => JSON.stringify([customer, plan])))
  assert(keys.size === subscriptions.length, 'a customer was read twice')
}

const FLAGS = [
  ...['--every', '--ticks', '--candidates', '--customers', '--kill-leader', '--freeze-leader', '--chaos', '--without'],
  ...['--time-scale', '--cold', '--json', '--help', '--ticks=3', '--', '-t', '--tick', '--no-cold', '--thaw-leader'],
  ...['--skew-clock', '--drop-reply', '--cut-off', '--reconnect', '--add-candidate', '--remove-candidate', '--table'],
  ...['--scenario', 'mine.ts', '--lease', '--env', '--timeout', '--port', '--no-page'],
]
const VALUES = [
  ...['2:1', '1:10', '3:11', '2:1:5s', '2:1:-61m', '1:2:1.5ms', 'A=x', '__proto__=x', 'Orders:id', 'a.b:c:d'],
  ...['500ms', '2s', '1m', '61m', '.5s', 'lease', 'fence', 'key', '0.1', '1', '3', '12', 'customers.csv'],
]
/** Of the many flags and values few fit each other. */
const FITTING = [
  ...['--skew-clock 2:1:-5s', '--cut-off 3:10', '--add-candidate 2', '--remove-candidate 4:1'],
  ...['--freeze-leader 2 --thaw-leader 4', 'mine.ts --lease mine', '--ticks 3'],
].map((flags) => flags.split(' '))
const word = hostileText.map((text) => text.slice(0, 60)) // a shell limits the length
const flag = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...FLAGS) }, word)
const value = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...VALUES) }, word)
const argv = fc
  .array(fc.oneof(fc.tuple(flag, value), fc.tuple(flag), fc.constantFrom(...FITTING)), { maxLength: 4 })
  .map((given) => given.flat())

function readFlags(given: readonly string[]): void {
  const parsed = given.includes('mine.ts') ? parseDevOptions(given) : parseOptions(given)
  if (parsed.kind !== 'start') return
  const { options } = parsed
  const { everyMs, candidates, timeScale, ticks = 1, killLeader = 1, freezeLeader = 1, scenario } = options
  assert(everyMs >= 0 && everyMs <= 3_600_000, `every ${everyMs} ms`)
  assert(timeScale > 0 && timeScale <= 1, `the time scale is ${timeScale}`)
  for (const number of [candidates, ticks, killLeader, freezeLeader]) {
    assert(Number.isSafeInteger(number) && number >= 1, `${number} is no count`)
  }
  assertReadAgain(scenario)
  const faultTicks = [killLeader, freezeLeader, ...scenario.map(({ tick }) => tick)]
  assert(options.ticks === undefined || Math.max(...faultTicks) <= ticks, 'a fault is in a tick that never comes')
}

function assertReadAgain(scenario: readonly ScheduledFault[]): void {
  assert(isDeepStrictEqual(readScenario(scenario), scenario), 'a scenario that was read is not read as the same again')
}

const tick = fc.integer({ min: 1, max: 9 })
const act = fc.record(
  {
    ...{ tick, do: fc.constantFrom(...MANUAL_FAULTS) },
    ...{ candidate: fc.integer({ min: 1, max: 10 }), ms: fc.integer({ min: -9_000, max: 9_000 }) },
  },
  { requiredKeys: ['tick', 'do'] },
)

export const localTargets: readonly Target[] = [
  target('a file of customers', file, readFile, [
    CustomersFileError,
    /^Nothing was loaded from .*customers\.csv:\n {2}\S/,
  ]),
  target('the flags of npm start and tenure dev', argv, readFlags, [OptionError, /--?\w|argument|lease/]),
  target(
    'a scenario of manual faults',
    nearly(fc.array(act, { maxLength: 3 }), hostileJson),
    (given) => assertReadAgain(readScenario(given)),
    [FaultError, /^A scenario is a list|^Fault \d+ of the scenario: ("(do|tick|candidate|ms)"|\w+ has no field)/],
  ),
]
