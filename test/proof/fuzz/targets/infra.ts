/** What whoever deploys gives to the CDK app and its constructs. */
import { join } from 'node:path'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import fc from 'fast-check'
import { settingsOf } from '../../../../infra/constructs/elected-schedule-settings.ts'
import { ConfigurationError, type ElectedScheduleProps, LeaseTable } from '../../../../infra/constructs/index.ts'
import { numberFromContext } from '../../../../infra/context.ts'
import { hostileJson, hostileNumber } from '../hostile.ts'
import { nearlyText } from '../nearly-valid.ts'
import { SCRATCH } from '../scratch.ts'
import { Broken, type Target, target } from '../target.ts'

/** Left to itself, the CDK makes a directory for each app and never removes it. */
const APP = { analyticsReporting: false, outdir: join(SCRATCH, 'cdk') }

const context = fc.oneof(fc.nat(20), fc.nat(20).map(String), hostileJson)

function readContext(value: unknown): void {
  const app = new App({ ...APP, context: { candidates: value } })
  const number = numberFromContext(app, 'candidates')
  if (number !== undefined && !Number.isSafeInteger(number)) throw new Broken(`${number} is no whole number`)
}

/** One stack for all inputs: a construct takes longer to make than its props to be read. */
const stack = new Stack(new App(APP), 'Fuzz')
const leaseTable = new LeaseTable(stack, 'Leases')
const handler = new LambdaFunction(stack, 'Handler', {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromInline('export const handler = () => {}'),
  timeout: Duration.seconds(30),
})

/** Of a length that is no whole number of milliseconds the CDK itself complains. */
const duration = fc
  .tuple(
    fc.constantFrom(Duration.millis, Duration.seconds, Duration.minutes, Duration.hours, Duration.days),
    fc.oneof(fc.nat(90), fc.nat(), hostileNumber),
  )
  .filter(([, amount]) => amount >= 0 && Number.isInteger(amount))
  .map(([of, amount]) => of(amount))
  .filter((length) => Number.isFinite(length.toMilliseconds({ integral: false })))

const when = fc.oneof(
  duration.map((rate) => ({ rate })),
  duration.map((period) => ({ period, cron: { minute: '0' } })),
)

type Asked = Omit<
  ElectedScheduleProps,
  'leaseTable' | 'handler' | 'entry' | 'entryProps' | 'rate' | 'cron' | 'period'
> &
  ({ readonly rate: Duration } | { readonly cron: CronOptionsWithTimezone; readonly period: Duration })

const props: fc.Arbitrary<Asked> = fc
  .tuple(
    when,
    fc.record(
      {
        lease: nearlyText(fc.constantFrom('billing', 'team/a:b.c_d-e')),
        candidates: fc.oneof(fc.integer({ min: 1, max: 10 }), hostileNumber),
        leaseDuration: fc.oneof(
          fc.integer({ min: 1, max: 59 }).map((s) => Duration.seconds(s)),
          duration,
        ),
        leaseOutlastsRetries: fc.boolean(),
        flexibleWindow: fc.oneof(
          fc.integer({ min: 1, max: 60 }).map((m) => Duration.minutes(m)),
          duration,
        ),
        enabled: fc.boolean(),
      },
      { requiredKeys: ['lease'] },
    ),
  )
  .map(([period, asked]) => ({ ...period, ...asked }))

/** As `periodMs` of the library's options. */
const LONGEST_PERIOD_MS = 366 * 86_400_000

function readProps(asked: Asked): void {
  const { candidates, leaseDuration, period, timeWindow } = settingsOf(stack, { leaseTable, handler, ...asked })
  const { lease, leaseOutlastsRetries = false } = asked
  if (!/^[\w.:/-]{1,128}$/.test(lease)) throw new Broken(`${JSON.stringify(lease)} is no name of a lease`)
  if (!(Number.isInteger(candidates) && candidates >= 1 && candidates <= 10))
    throw new Broken(`${candidates} candidates`)
  const [leaseMs, periodMs] = [leaseDuration.toMilliseconds(), period.toMilliseconds()]
  const longestMs = leaseOutlastsRetries ? 3_600_000 : 59_999
  if (!(leaseMs >= 1_000 && leaseMs <= longestMs && Number.isSafeInteger(leaseMs)))
    throw new Broken(`a lease of ${leaseMs} ms`)
  if ((timeWindow.maxWindow?.toMilliseconds() ?? 0) >= periodMs) throw new Broken('a window longer than the period')
  if (periodMs < 60_000) throw new Broken(`a period of ${periodMs} ms`)
  // What the library would refuse at every tick has to be refused before it is deployed.
  if (!(periodMs <= LONGEST_PERIOD_MS)) throw new Broken(`a period of more than a year, ${periodMs} ms`)
}

export const infraTargets: readonly Target[] = [
  target({
    name: 'a number from the CDK context',
    inputs: context,
    read: readContext,
    refusals: [{ type: ConfigurationError, says: /context value `candidates` is/ }],
  }),
  target({
    name: 'the props of an ElectedSchedule',
    inputs: props,
    read: readProps,
    refusals: [{ type: ConfigurationError, says: /^Fuzz: .*(lease|candidates|period|rate|time-out|flexibleWindow)/s }],
  }),
]
