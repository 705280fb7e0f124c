/** What the caller passes to the CDK app and its constructs. */
import { join } from 'node:path'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import fc from 'fast-check'
import { settingsOf } from '../../../../infra/constructs/elected-schedule-settings.ts'
import { ConfigurationError, LeaseTable } from '../../../../infra/constructs/index.ts'
import { hostileNumber } from '../hostile.ts'
import { nearlyText } from '../nearly-valid.ts'
import { assert, type Target, target } from '../target.ts'
import { SCRATCH } from './local.ts'

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

export const infraTargets: readonly Target[] = [
  target('the props of an ElectedSchedule', props, readProps, [
    ConfigurationError,
    /^Fuzz: .*(lease|candidates|period|rate|time-out|flexibleWindow)/s,
  ]),
]
