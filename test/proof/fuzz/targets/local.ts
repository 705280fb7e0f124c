/** What a user gives to a local run or to the constructs: a file of customers, flags, a scenario, props. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import fc from 'fast-check'
import { afterAll } from 'vitest'
import { readDueSubscription } from '../../../../functions/billing/subscription.ts'
import { settingsOf } from '../../../../infra/constructs/elected-schedule-settings.ts'
import { ConfigurationError, LeaseTable } from '../../../../infra/constructs/index.ts'
import { CustomersFileError, readCustomers } from '../../../../infra/local/billing/csv.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { parseDevOptions, parseOptions } from '../../../../infra/local/cli/options.ts'
import { FaultError, MANUAL_FAULTS, readScenario, type ScheduledFault } from '../../../../infra/local/faults/fault.ts'
import { OptionError } from '../../../../infra/programs/flags.ts'
import { toCsv } from '../../../support/customers-csv.ts'
import { hostileJson, hostileNumber, hostileText, nearly, nearlyText } from '../inputs.ts'
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
  const options = given.includes('mine.ts') ? parseDevOptions(given) : parseOptions(given)
  if (typeof options === 'string') return
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

/** One stack for all inputs: making a construct takes longer than reading its props. */
const stack = new Stack(new App({ analyticsReporting: false, outdir: join(SCRATCH, 'cdk') }), 'Fuzz')
const leaseTable = new LeaseTable(stack, 'Leases')
const handler = new LambdaFunction(stack, 'Handler', {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromInline('export const handler = () => {}'),
  timeout: Duration.seconds(30),
})

/** Without lengths that are no whole number of milliseconds: the CDK itself refuses them. */
const duration = fc
  .tuple(
    fc.constantFrom(Duration.millis, Duration.seconds, Duration.minutes, Duration.hours, Duration.days),
    fc.oneof(fc.nat(90), fc.nat(), hostileNumber),
  )
  .filter(([, amount]) => amount >= 0 && Number.isInteger(amount))
  .map(([of, amount]) => of(amount))
  .filter((length) => Number.isFinite(length.toMilliseconds({ integral: false })))
const upTo = (max: number, unit: (amount: number) => Duration) =>
  fc.oneof(fc.integer({ min: 1, max }).map(unit), duration)

const when = fc.oneof(
  duration.map((rate) => ({ rate })),
  duration.map((period) => ({ period, cron: { minute: '0' } })),
)
const others = fc.record(
  {
    lease: nearlyText(fc.constantFrom('billing', 'team/a:b.c_d-e')),
    candidates: fc.oneof(fc.integer({ min: 1, max: 10 }), hostileNumber),
    leaseDuration: upTo(59, Duration.seconds),
    leaseOutlastsRetries: fc.boolean(),
    flexibleWindow: upTo(60, Duration.minutes),
    enabled: fc.boolean(),
  },
  { requiredKeys: ['lease'] },
)
const props = fc.tuple(when, others).map(([period, other]) => ({ leaseTable, handler, ...period, ...other }))

/** As `periodMs` in the options of the library: a period that it would refuse must not be deployed. */
const LONGEST_PERIOD_MS = 366 * 86_400_000

function readProps(asked: typeof props extends fc.Arbitrary<infer Props> ? Props : never): void {
  const { candidates, leaseDuration, period, timeWindow } = settingsOf(stack, asked)
  const { lease, leaseOutlastsRetries = false } = asked
  assert(/^[\w.:/-]{1,128}$/.test(lease), `${JSON.stringify(lease)} is no name of a lease`)
  assert(Number.isInteger(candidates) && candidates >= 1 && candidates <= 10, `${candidates} candidates`)
  const [leaseMs, periodMs] = [leaseDuration.toMilliseconds(), period.toMilliseconds()]
  const longestMs = leaseOutlastsRetries ? 3_600_000 : 59_999
  assert(Number.isSafeInteger(leaseMs) && leaseMs >= 1_000 && leaseMs <= longestMs, `a lease of ${leaseMs} ms`)
  assert((timeWindow.maxWindow?.toMilliseconds() ?? 0) < periodMs, 'a window as long as the period')
  assert(periodMs >= 60_000 && periodMs <= LONGEST_PERIOD_MS, `a period of ${periodMs} ms`)
}

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
  target('the props of an ElectedSchedule', props, readProps, [
    ConfigurationError,
    /^Fuzz: .*(lease|candidates|period|rate|time-out|flexibleWindow)/s,
  ]),
]
