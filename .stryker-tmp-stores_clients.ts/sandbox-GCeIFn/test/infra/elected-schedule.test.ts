// @ts-nocheck
import { join } from 'node:path'
import { Duration, TimeZone } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { ElectedSchedule, type ElectedScheduleProps } from '../../infra/constructs/index.ts'
import { type Chosen, elect, electedSchedule, HOURLY, stackWithTable } from '../support/cdk-app.ts'

type ElectedEntryProps = Extract<ElectedScheduleProps, { readonly entry: string }>['entryProps']
/** The properties of the template's schedules. */
function schedulesIn(template: Template) {
  return Object.values(template.findResources('AWS::Scheduler::Schedule')).map(({ Properties }) => Properties)
}

describe('an hourly schedule', () => {
  const { template, stack, schedule } = electedSchedule(HOURLY)
  const queue = stack.resolve(schedule.failures.queueArn)

  test('has two candidates that invoke the function with the scheduled time and their name', () => {
    const schedules = schedulesIn(template)
    expect(schedules).toHaveLength(2)
    for (const { Name, ...properties } of schedules) {
      expect(properties).toMatchObject({
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        Target: {
          Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Function/), 'Arn'] },
          Input: `{"tick":"<aws.scheduler.scheduled-time>","periodMs":3600000,"schedule":"${Name}"}`,
          DeadLetterConfig: { Arn: queue },
        },
      })
    }
  })

  test('has a dead-letter queue for failed invocations, encrypted, for TLS only, kept for 14 days', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: queue } },
    })
    template.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true })
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    })
  })
})

describe('a schedule', () => {
  test.each<[string, Chosen, object]>([
    [
      'cron in a time zone',
      { cron: { hour: '6', minute: '0', timeZone: TimeZone.EUROPE_BERLIN } },
      {
        ScheduleExpression: 'cron(0 6 * * ? *)',
        ScheduleExpressionTimezone: 'Europe/Berlin',
      },
    ],
    [
      'a flexible window',
      { ...HOURLY, flexibleWindow: Duration.minutes(10) },
      { FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 10 } },
    ],
    ['enabled: false', { ...HOURLY, enabled: false }, { State: 'DISABLED' }],
  ])('can have %s', (_, props, expected) => {
    for (const properties of schedulesIn(electedSchedule(props).template)) expect(properties).toMatchObject(expected)
  })

  test.each([1, 10])('can have %i candidates', (candidates) => {
    expect(schedulesIn(electedSchedule({ ...HOURLY, candidates }).template)).toHaveLength(candidates)
  })

  test('has unique names of at most 64 characters', () => {
    const { stack, leaseTable } = stackWithTable()
    for (const id of ['A', 'B']) elect(stack, `${'Long'.repeat(30)}${id}`, leaseTable)
    const names = schedulesIn(Template.fromStack(stack)).map(({ Name }) => String(Name))
    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(name).toMatch(/^[\w.-]{1,64}$/)
  })

  test.each([
    ['1500', false],
    ['300000', true],
  ])('can have a lease of %s ms', (expected, leaseOutlastsRetries) => {
    const leaseDuration = Duration.millis(Number(expected))
    const { template } = electedSchedule({ ...HOURLY, leaseDuration, leaseOutlastsRetries })
    template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { LEASE_MS: expected } } })
  })

  test.each([
    { rate: Duration.minutes(1), schedulerS: 60, lambdaS: 60 },
    { rate: Duration.hours(1), schedulerS: 3600, lambdaS: 3600 },
    { rate: Duration.hours(12), schedulerS: 43_200, lambdaS: 21_600 },
    { rate: Duration.days(7), schedulerS: 86_400, lambdaS: 21_600 },
  ])('retries an event twice, for $schedulerS s and for $lambdaS s', ({ rate, schedulerS, lambdaS }) => {
    const { template } = electedSchedule({ rate })
    for (const { Target } of schedulesIn(template)) {
      expect(Target.RetryPolicy).toEqual({ MaximumEventAgeInSeconds: schedulerS, MaximumRetryAttempts: 2 })
    }
    const retries = { MaximumEventAgeInSeconds: lambdaS, MaximumRetryAttempts: 2 }
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', retries)
  })
})

describe('a schedule with an entry', () => {
  const entry = join(import.meta.dirname, '../../functions/sandbox/handler.ts')
  function electedEntry(entryProps: ElectedEntryProps = {}) {
    const { stack, leaseTable } = stackWithTable()
    const props = { leaseTable, lease: 'billing', entry, entryProps, ...HOURLY }
    const { handler } = new ElectedSchedule(stack, 'Elected', props)
    const template = Template.fromStack(stack)
    const [resource] = Object.values(template.findResources('AWS::Lambda::Function'))
    return { handler, template, properties: resource?.['Properties'] }
  }

  test('makes a function on the pinned runtime, with its lease’s variables, and logs for three months', () => {
    const { handler, template, properties } = electedEntry()
    expect(handler.node.path).toBe('Stack/Elected/Handler')
    expect(properties).toEqual({
      Code: expect.anything(),
      Role: expect.anything(),
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 30,
      MemorySize: 512,
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.stringMatching(/^ElectedHandlerLogs/) } },
      Environment: {
        Variables: {
          LEASE_TABLE: { Ref: expect.stringMatching(/^Leases/) },
          LEASE_NAME: 'billing',
          LEASE_MS: '15000',
          LEASE_SCHEDULE: 'rate(1 hour)',
          NODE_OPTIONS: '--enable-source-maps',
        },
      },
    })
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 })
  })

  test('passes its props on to the function, also variables that equal those of the lease', () => {
    const environment = { QUEUE: 'q', LEASE_NAME: 'billing', LEASE_MS: '15000' }
    const entryProps = { timeout: Duration.minutes(5), memorySize: 1024, environment, description: 'd' }
    expect(electedEntry(entryProps).properties).toMatchObject({
      Timeout: 300,
      MemorySize: 1024,
      Description: 'd',
      Environment: { Variables: environment },
    })
  })

  test('puts its own option before the NODE_OPTIONS, so that the last one, of the caller, counts', () => {
    const NODE_OPTIONS = '--import ./telemetry.mjs --no-enable-source-maps'
    expect(electedEntry({ environment: { NODE_OPTIONS } }).properties.Environment.Variables).toMatchObject({
      NODE_OPTIONS: `--enable-source-maps ${NODE_OPTIONS}`,
    })
  })

  test('checks the timeout of the function', () => {
    expect(() => electedEntry({ timeout: Duration.minutes(16) })).toThrow("the function's timeout is 960 s")
  })
})
