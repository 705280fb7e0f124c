/** What people give to a local run: a file of customers, flags, the seed of a plan of faults. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { readDueSubscription } from '../../../../functions/billing/subscription.ts'
import {
  CustomersFileError,
  generateCustomers,
  readCustomers,
  toCsv,
} from '../../../../infra/local/billing/customers.ts'
import { parseOptions, type StartOptions } from '../../../../infra/local/cli/options.ts'
import {
  type CallFault,
  describeCallFault,
  FaultError,
  MANUAL_FAULTS,
  readScenario,
  type ScheduledFault,
} from '../../../../infra/local/faults/fault.ts'
import { chaosPlan } from '../../../../infra/local/faults/plan.ts'
import { OptionError } from '../../../../infra/programs/flags.ts'
import { hostileJson, hostileText } from '../hostile.ts'
import { nearly, nearlyText } from '../nearly-valid.ts'
import { SCRATCH } from '../scratch.ts'
import { Broken, type Target, target } from '../target.ts'

const FILE = join(SCRATCH, 'customers.csv')

const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone,paymentMethod'
const pieces = fc.oneof(
  hostileText,
  fc.constantFrom(',', '"', '""', ';', '\t', '\r', '\n\n', '\ufeff', '-', '0', 'customer', 'Europe/Berlin', 'Pacific'),
  fc.constantFrom('4242 4242 4242 4242', '\n=1+1,x,y,month,5,EUR,2024-02-30,UTC,', `\n${HEADER}`),
)
const header = fc.oneof(
  { weight: 3, arbitrary: fc.constant(HEADER) },
  { weight: 1, arbitrary: nearlyText(fc.constant(HEADER), pieces) },
)
const csv = fc
  .tuple(fc.nat(99), fc.integer({ min: 0, max: 4 }), header)
  .map(([seed, count, columns]) => toCsv(generateCustomers(seed, count)).replace(HEADER, () => columns))

/** Mostly text; now and then bytes that are none. */
const file: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: nearlyText(csv, pieces).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
)

async function readFile(bytes: Uint8Array): Promise<void> {
  writeFileSync(FILE, bytes)
  const subscriptions = await readCustomers(FILE)
  if (subscriptions.length === 0) throw new Broken('no customer was read')
  // What is loaded must be what the task can charge.
  for (const subscription of subscriptions) readDueSubscription({ ...subscription }, subscription.dueAt)
  const keys = new Set(subscriptions.map(({ customer, plan }) => JSON.stringify([customer, plan])))
  if (keys.size < subscriptions.length) throw new Broken('a customer was read twice')
}

/** What one can type into a shell, which is not endless. */
const word = hostileText.map((text) => text.slice(0, 60))
const FLAGS = [
  ...['--every', '--ticks', '--candidates', '--customers', '--kill-leader', '--freeze-leader', '--chaos'],
  ...['--without', '--time-scale', '--cold', '--json', '--help', '--ticks=3', '--', '-t', '--tick', '--no-cold'],
  ...['--thaw-leader', '--skew-clock', '--drop-reply', '--cut-off', '--reconnect', '--add-candidate'],
  ...[
    '--remove-candidate',
    '--scenario',
    '--function',
    '--lease',
    '--env',
    '--table',
    '--timeout',
    '--port',
    '--no-page',
  ],
]
const value = fc.oneof(
  fc.constantFrom(
    '2:1',
    '1:10',
    '3:11',
    '2:1:5s',
    '2:1:-61m',
    '1:2:1.5ms',
    'A=x',
    '__proto__=x',
    'Orders:id',
    'a.b:c:d',
  ),
  fc.nat(12).map(String),
  fc.constantFrom('500ms', '2s', '1m', '61m', '.5s', 'lease', 'fence', 'key', '0.1', '1', 'customers.csv'),
  word,
)
const flag = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...FLAGS) }, word)
/** Of the many flags and values few fit each other. */
const fitting = fc.constantFrom(
  ...[
    ['--skew-clock', '2:1:-5s'],
    ['--cut-off', '3:10'],
    ['--add-candidate', '2'],
    ['--remove-candidate', '4:1'],
  ],
  ...[
    ['--freeze-leader', '2', '--thaw-leader', '4'],
    ['--function', 'mine.ts', '--lease', 'mine'],
    ['--ticks', '3'],
  ],
)
const argv = fc
  .array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.tuple(flag, fc.option(value, { freq: 5 })).map(([name, given]) => [name, given ?? []]),
      },
      { weight: 1, arbitrary: fitting },
    ),
    { maxLength: 4 },
  )
  .map((given) => given.flat(2))

function optionsOf(given: readonly string[]): StartOptions | undefined {
  const parsed = parseOptions(given)
  return parsed.kind === 'start' ? parsed.options : undefined
}

function readFlags(given: readonly string[]): void {
  const options = optionsOf(given)
  if (options === undefined) return
  const { everyMs, candidates, timeScale, ticks = 1, killLeader = 1, freezeLeader = 1 } = options
  if (!(everyMs >= 0 && everyMs <= 3_600_000)) throw new Broken(`every ${everyMs} ms`)
  if (!(timeScale > 0 && timeScale <= 1)) throw new Broken(`the time scale is ${timeScale}`)
  for (const number of [candidates, ticks, killLeader, freezeLeader]) {
    if (!(Number.isSafeInteger(number) && number >= 1)) throw new Broken(`${number} is no count`)
  }
  if (Math.max(killLeader, freezeLeader) > Math.max(ticks, 1) && options.ticks !== undefined) {
    throw new Broken('a leader is hit in a tick that never comes')
  }
  expectWhole(options.scenario)
  if (options.scenario.some(({ tick }) => tick > ticks) && options.ticks !== undefined) {
    throw new Broken('something is done before a tick that never comes')
  }
}

/** What was read once is read as the same again. */
function expectWhole(scenario: readonly ScheduledFault[]): void {
  if (!isDeepStrictEqual(readScenario(scenario), scenario)) throw new Broken('a fault is read as another one')
}

const act = fc.oneof(
  fc.record({ tick: fc.integer({ min: 1, max: 9 }), do: fc.constantFrom(...MANUAL_FAULTS) }),
  fc.record({
    tick: fc.integer({ min: 1, max: 9 }),
    do: fc.constantFrom(...MANUAL_FAULTS),
    candidate: fc.integer({ min: 1, max: 10 }),
    ms: fc.integer({ min: -9_000, max: 9_000 }),
  }),
)
const acts = nearly(fc.array(act, { maxLength: 3 }), hostileJson)

const chaos = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(-1, 1.5, 2 ** 32)), fc.nat(40))
  .map(([seed, ticks]) => ['--chaos', String(seed), '--ticks', String(ticks)])

function readChaos(given: readonly string[]): void {
  const { chaos: seed = 0, ticks = 0 } = optionsOf(given) ?? {}
  const plan = chaosPlan(seed, ticks)
  const isWithin = ({ tick, nth }: CallFault) => tick >= 1 && tick <= ticks && nth >= 1
  if (!plan.every(isWithin)) throw new Broken('a fault lies outside of the run')
  if (!['killLeader', 'freezeLeader'].every((name) => plan.some((fault) => fault.do === name))) {
    throw new Broken('no leader is killed, or none frozen')
  }
  if (plan.some((fault) => /undefined|NaN/.test(describeCallFault(fault)))) throw new Broken('a fault has no words')
  if (JSON.stringify(chaosPlan(seed, ticks)) !== JSON.stringify(plan)) throw new Broken('the same seed, another plan')
}

const WRONG_FLAG = { type: OptionError, says: /--?\w|argument|lease/ }

export const localTargets: readonly Target[] = [
  target({
    name: 'a file of customers',
    inputs: file,
    read: readFile,
    refusals: [{ type: CustomersFileError, says: /^Nothing was loaded from .*customers\.csv:\n {2}\S/ }],
  }),
  target({ name: 'the flags of npm start', inputs: argv, read: readFlags, refusals: [WRONG_FLAG] }),
  target({
    name: 'a scenario of what is done by hand',
    inputs: acts,
    read: (value) => expectWhole(readScenario(value)),
    refusals: [
      { type: FaultError, says: /^A scenario is a list|^Fault \d+ of the scenario: "(do|tick|candidate|ms)"/ },
    ],
  }),
  target({ name: 'a plan of chaos', inputs: chaos, read: readChaos, refusals: [WRONG_FLAG] }),
]
