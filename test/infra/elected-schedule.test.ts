import { join } from 'node:path'
import { Duration, Lazy, Stack, TimeZone } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { describe, expect, test } from 'vitest'
import {
  ConfigurationError,
  ElectedSchedule,
  type ElectedScheduleProps,
  HandlerFunction,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import { aFunction, newApp } from '../support/cdk-app.ts'

const hourly = { rate: Duration.hours(1) }
const dailyAt6 = (timeZone?: TimeZone) => ({
  hour: '6',
  minute: '0',
  ...(timeZone === undefined ? {} : { timeZone }),
})

function aStack() {
  const stack = new Stack(newApp(), 'Stack')
  return { stack, leaseTable: new LeaseTable(stack, 'Leases') }
}

type ElectedEntryProps = Extract<ElectedScheduleProps, { readonly entry: string }>['entryProps']

type Chosen = ({ readonly rate: Duration } | { readonly cron: CronOptionsWithTimezone; readonly period: Duration }) &
  Partial<
    Omit<ElectedScheduleProps, 'leaseTable' | 'handler' | 'entry' | 'entryProps' | 'rate' | 'cron' | 'period'>
  > & { readonly timeout?: Duration }

function electedSchedule({ timeout, ...chosen }: Chosen) {
  const { stack, leaseTable } = aStack()
  const handler = aFunction(stack, 'Function', timeout === undefined ? {} : { timeout })
  const schedule = new ElectedSchedule(stack, 'Elected', { leaseTable, lease: 'billing', handler, ...chosen })
  return { stack, schedule, leaseTable, handler, template: Template.fromStack(stack) }
}

/** The schedules of a template as plain data. */
function schedulesIn(template: Template) {
  return Object.values(template.findResources('AWS::Scheduler::Schedule')).map(({ Properties }) => Properties)
}

describe('the candidates', () => {
  test('are two unless more are asked for, and at most ten', () => {
    expect(schedulesIn(electedSchedule(hourly).template)).toHaveLength(2)
    expect(schedulesIn(electedSchedule({ ...hourly, candidates: 1 }).template)).toHaveLength(1)
    expect(schedulesIn(electedSchedule({ ...hourly, candidates: 10 }).template)).toHaveLength(10)
  })

  test('fire the same function at the same times, without a flexible window', () => {
    for (const schedule of schedulesIn(electedSchedule({ ...hourly, candidates: 3 }).template)) {
      expect(schedule).toMatchObject({
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        Target: { Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Function/), 'Arn'] } },
      })
    }
  })

  test('send the scheduled time as text, the period as a number, and their own name', () => {
    const [first, second] = schedulesIn(electedSchedule(hourly).template)
    expect(first.Target.Input).toBe(
      `{"tick":"<aws.scheduler.scheduled-time>","periodMs":3600000,"exactPeriod":true,"schedule":"${first.Name}"}`,
    )
    expect(JSON.parse(second.Target.Input)).toEqual({
      tick: '<aws.scheduler.scheduled-time>',
      periodMs: 3_600_000,
      exactPeriod: true,
      schedule: second.Name,
    })
  })

  test('have names of their own, within the 64 characters that Scheduler allows', () => {
    const { stack, leaseTable } = aStack()
    for (const id of [`${'Long'.repeat(30)}A`, `${'Long'.repeat(30)}B`]) {
      const handler = aFunction(stack, `Function${id}`)
      new ElectedSchedule(stack, id, { leaseTable, lease: 'billing', handler, ...hourly, candidates: 10 })
    }
    const names = schedulesIn(Template.fromStack(stack)).map((schedule) => String(schedule.Name))
    expect(new Set(names).size).toBe(20)
    for (const name of names) expect(name).toMatch(/^[\w.-]{1,64}$/)
  })

  test('follow a cron expression in its time zone', () => {
    const { template } = electedSchedule({ cron: dailyAt6(TimeZone.EUROPE_BERLIN), period: Duration.hours(23) })
    for (const schedule of schedulesIn(template)) {
      expect(schedule).toMatchObject({
        ScheduleExpression: 'cron(0 6 * * ? *)',
        ScheduleExpressionTimezone: 'Europe/Berlin',
      })
      expect(JSON.parse(schedule.Target.Input)).toMatchObject({ periodMs: 82_800_000, exactPeriod: false })
    }
  })
})

describe('the schedules', () => {
  test('may fire within a window after the tick, which spreads their load', () => {
    const { template } = electedSchedule({ ...hourly, flexibleWindow: Duration.minutes(10) })
    for (const schedule of schedulesIn(template)) {
      expect(schedule.FlexibleTimeWindow).toEqual({ Mode: 'FLEXIBLE', MaximumWindowInMinutes: 10 })
    }
  })

  test('may be there and not fire', () => {
    for (const schedule of schedulesIn(electedSchedule({ ...hourly, enabled: false }).template)) {
      expect(schedule.State).toBe('DISABLED')
    }
  })
})

describe('an entry file in place of a function', () => {
  const entry = join(import.meta.dirname, '../../functions/sandbox/handler.ts')
  function electedEntry(entryProps: ElectedEntryProps = {}) {
    const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Stack')
    const leaseTable = new LeaseTable(stack, 'Leases')
    const schedule = new ElectedSchedule(stack, 'Elected', {
      leaseTable,
      lease: 'billing',
      entry,
      entryProps,
      ...hourly,
    })
    return { schedule, template: Template.fromStack(stack) }
  }

  test('becomes a function on the pinned runtime, which is told its lease and may lead it', () => {
    const { template, schedule } = electedEntry()
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 30,
      MemorySize: 512,
      Environment: { Variables: Match.objectLike({ LEASE_NAME: 'billing', LEASE_MS: '15000' }) },
    })
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: ['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'] }),
        ]),
      },
    })
    expect(schedule.handler.node.path).toBe('Stack/Elected/Handler')
  })

  test('takes what the function is to have', () => {
    const entryProps = { timeout: Duration.minutes(5), memorySize: 1024, environment: { QUEUE: 'q' }, description: 'd' }
    electedEntry(entryProps).template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 300,
      MemorySize: 1024,
      Description: 'd',
      Environment: { Variables: Match.objectLike({ QUEUE: 'q', LEASE_NAME: 'billing' }) },
    })
  })

  const variablesOf = (entryProps: ElectedEntryProps) => {
    const [properties] = Object.values(electedEntry(entryProps).template.findResources('AWS::Lambda::Function'))
    return properties?.['Properties'].Environment.Variables
  }

  test.each([
    [undefined, '--enable-source-maps'],
    ['', '--enable-source-maps'],
    [
      '--import ./telemetry.mjs --max-old-space-size=400',
      '--import ./telemetry.mjs --max-old-space-size=400 --enable-source-maps',
    ],
    ['--import "./a --enable-source-maps.mjs"', '--import "./a --enable-source-maps.mjs" --enable-source-maps'],
    ['--import ./x--enable-source-maps.mjs', '--import ./x--enable-source-maps.mjs --enable-source-maps'],
    ['--enable-source-maps.mjs', '--enable-source-maps.mjs --enable-source-maps'],
    ['--enable_source_maps', '--enable_source_maps'],
    ['--enable-source-maps --no-warnings', '--enable-source-maps --no-warnings'],
    ['--no-enable-source-maps', '--no-enable-source-maps'],
  ])('keeps its own NODE_OPTIONS beside source maps: %j', (given, expected) => {
    const environment = given === undefined ? {} : { NODE_OPTIONS: given }
    expect(variablesOf({ environment }).NODE_OPTIONS).toBe(expected)
  })

  test.each([
    ['LEASE_NAME', 'another', 'billing'],
    ['LEASE_MS', '1', '15000'],
    ['LEASE_TABLE', 'theirs', ''],
  ])('is not given another %s than the schedule says', (name, value, ours) => {
    const entryProps = { environment: { [name]: value } }
    expect(() => electedEntry(entryProps)).toThrow(ConfigurationError)
    expect(() => electedEntry(entryProps)).toThrow(
      `Stack/Elected: the function Stack/Elected/Handler has the environment variable ${name}="${value}", but this schedule sets ${name}=${ours === '' ? '{"Ref":' : `"${ours}"`}`,
    )
    expect(() => electedEntry({ environment: { LEASE_NAME: 'billing', LEASE_MS: '15000' } })).not.toThrow()
  })

  test('takes no prop besides, which would be ignored', () => {
    const unchecked = JSON.parse('{ "runtime": "nodejs22.x", "memorysize": 1024 }')
    expect(() => electedEntry(unchecked)).toThrow(ConfigurationError)
    expect(() => electedEntry(unchecked)).toThrow(
      'Stack/Elected: there is no prop `entryProps.runtime`; did you mean `entryProps.timeout`?; there is no prop `entryProps.memorysize`; did you mean `entryProps.memorySize`?',
    )
    const { stack, leaseTable } = aStack()
    const both = { lease: 'billing', leaseTable, handler: aFunction(stack, 'Function'), entryProps: {}, ...hourly }
    expect(() => new ElectedSchedule(stack, 'Elected', Object.assign(JSON.parse('{}'), both))).toThrow(
      '`entryProps` was given with `handler`; set on that function what it is to have',
    )
    expect(() => new HandlerFunction(stack, 'Other', { entry, ...unchecked })).toThrow('there is no prop `runtime`')
  })

  test('is judged by the time-out it is given', () => {
    expect(() => electedEntry({ timeout: Duration.minutes(16) })).toThrow("the function's time-out is 960 s")
  })
})

test('a lease may outlast the retries of a dead leader where somebody says so', () => {
  const chosen = { ...hourly, leaseDuration: Duration.minutes(5), leaseOutlastsRetries: true }
  electedSchedule(chosen).template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { LEASE_MS: '300000' } },
  })
  expect(() => electedSchedule({ ...chosen, leaseDuration: Duration.minutes(61) })).toThrow(
    '`leaseDuration` is 3660 s; it must be from 1 s to 3600 s',
  )
})

describe('a tick that fails', () => {
  test.each([
    { every: Duration.minutes(1), schedulerS: 60, lambdaS: 60 },
    { every: Duration.hours(1), schedulerS: 3600, lambdaS: 3600 },
    { every: Duration.hours(12), schedulerS: 43_200, lambdaS: 21_600 },
    { every: Duration.days(7), schedulerS: 86_400, lambdaS: 21_600 },
  ])('is retried twice, while it is younger than its period of $every', ({ every, schedulerS, lambdaS }) => {
    const { template } = electedSchedule({ rate: every })
    for (const schedule of schedulesIn(template)) {
      expect(schedule.Target.RetryPolicy).toEqual({ MaximumEventAgeInSeconds: schedulerS, MaximumRetryAttempts: 2 })
    }
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumEventAgeInSeconds: lambdaS,
      MaximumRetryAttempts: 2,
    })
  })

  test('ends in one queue, whether Scheduler could not deliver it or its last retry failed', () => {
    const { template, stack, schedule } = electedSchedule(hourly)
    const queue = stack.resolve(schedule.failures.queueArn)
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: queue } },
    })
    for (const { Target } of schedulesIn(template)) expect(Target.DeadLetterConfig).toEqual({ Arn: queue })
  })

  test('is kept there for 14 days, encrypted, and sent over TLS only', () => {
    const { template } = electedSchedule(hourly)
    template.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true })
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    })
  })

  test('draws a warning where a retry could only come after the next tick', () => {
    const retryBeyondPeriod = Match.stringLikeRegexp('leaves no room for a retry.*tenure:RetryBeyondPeriod')
    const tight = electedSchedule({ rate: Duration.minutes(1) })
    Annotations.fromStack(tight.stack).hasWarning('/Stack/Elected', retryBeyondPeriod)
    const slow = electedSchedule({ rate: Duration.minutes(5), timeout: Duration.minutes(4) })
    Annotations.fromStack(slow.stack).hasWarning('/Stack/Elected', retryBeyondPeriod)
    const roomy = electedSchedule({ rate: Duration.minutes(5), timeout: Duration.minutes(3) })
    Annotations.fromStack(roomy.stack).hasNoWarning('*', Match.anyValue())
  })
})

describe('the function', () => {
  test('is told its table, its lease and how long a lease lasts', () => {
    electedSchedule({ ...hourly, leaseDuration: Duration.millis(1500) }).template.hasResourceProperties(
      'AWS::Lambda::Function',
      {
        Environment: {
          Variables: {
            LEASE_TABLE: { Ref: Match.stringLikeRegexp('^Leases') },
            LEASE_NAME: 'billing',
            LEASE_MS: '1500',
          },
        },
      },
    )
  })

  test('leads for 15 seconds at a time by default', () => {
    electedSchedule(hourly).template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { LEASE_MS: '15000' } },
    })
  })

  test('may lead this lease only', () => {
    electedSchedule({ ...hourly, lease: 'reports' }).template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Condition: {
              'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['reports'] },
              Null: { 'dynamodb:LeadingKeys': 'false' },
            },
          }),
        ]),
      },
    })
  })
})

test('Scheduler may invoke this function and fill this queue, for schedules of this account only', () => {
  const { template, stack, handler, schedule } = electedSchedule(hourly)
  template.hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    },
    Policies: [
      {
        PolicyDocument: {
          Statement: [
            { Action: 'lambda:InvokeFunction', Resource: stack.resolve(handler.functionArn) },
            { Action: 'sqs:SendMessage', Resource: stack.resolve(schedule.failures.queueArn) },
          ],
        },
      },
    ],
  })
  // The CDK's own target would add every version and alias, as `function:*`.
  expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).not.toContain(':*')
})

describe('refused at synthesis, with the construct named', () => {
  const unknown = Duration.seconds(Lazy.number({ produce: () => 60 }))
  test.each<{ what: string; props: Chosen; message: string }>([
    {
      what: 'a bad lease name',
      props: { ...hourly, lease: 'two words' },
      message: 'the lease name "two words" is not allowed; use 1 to 128 letters, digits and . _ - / :',
    },
    {
      what: 'no candidate',
      props: { ...hourly, candidates: 0 },
      message: '`candidates` is 0; it must be a whole number from 1 to 10',
    },
    { what: 'eleven candidates', props: { ...hourly, candidates: 11 }, message: '`candidates` is 11' },
    { what: 'half a candidate', props: { ...hourly, candidates: 1.5 }, message: '`candidates` is 1.5' },
    {
      what: 'a period under a minute',
      props: { cron: dailyAt6(), period: Duration.seconds(59) },
      message: 'the period is 59 s; EventBridge Scheduler needs at least 60 s',
    },
    {
      what: 'a rate that is no whole number of minutes',
      props: { rate: Duration.seconds(90) },
      message: '`rate` is 90 s; it must be a whole number of minutes',
    },
    {
      what: 'a time-out longer than the period',
      props: { rate: Duration.minutes(1), timeout: Duration.seconds(61) },
      message:
        "the function's time-out is 61 s, longer than the period of 60 s; a tick must end before the next begins",
    },
    {
      what: 'a time-out longer than Lambda has',
      props: { ...hourly, timeout: Duration.minutes(16) },
      message: "the function's time-out is 960 s; Lambda allows at most 900 s",
    },
    {
      what: "a lease that outlasts Lambda's retry delay",
      props: { ...hourly, leaseDuration: Duration.seconds(60) },
      message: '`leaseDuration` is 60 s; it must be less than 60 s',
    },
    {
      what: 'a lease under a second',
      props: { ...hourly, leaseDuration: Duration.millis(999) },
      message: '`leaseDuration` is 0.999 s; it must be from 1 s to 3600 s',
    },
    {
      what: 'a flexible window as long as the period',
      props: { rate: Duration.minutes(10), flexibleWindow: Duration.minutes(10) },
      message:
        '`flexibleWindow` is 10 min; it must be whole minutes from 1 to 1440, and less than the period of 10 min',
    },
    {
      what: 'a flexible window of half a minute',
      props: { ...hourly, flexibleWindow: Duration.seconds(30) },
      message: '`flexibleWindow` is 0.5 min; it must be whole minutes from 1 to 1440',
    },
    {
      what: 'a period that only the deployment knows',
      props: { cron: dailyAt6(), period: unknown },
      message: 'all durations must be known at synthesis, not tokens',
    },
    {
      what: 'a rate that only the deployment knows',
      props: { rate: unknown },
      message: 'all durations must be known at synthesis, not tokens',
    },
  ])('$what', ({ props, message }) => {
    expect(() => electedSchedule(props)).toThrow(ConfigurationError)
    expect(() => electedSchedule(props)).toThrow(`Stack/Elected: ${message}`)
  })

  test('a function and an entry file, a rate and times of day: one of each, also where no compiler checks types', () => {
    const { stack, leaseTable } = aStack()
    const both = {
      leaseTable,
      lease: 'billing',
      handler: aFunction(stack, 'Function'),
      ...hourly,
      ...Object.assign(JSON.parse('{ "entry": "handler.ts" }'), { period: Duration.hours(1) }),
    }
    expect(() => new ElectedSchedule(stack, 'Elected', both)).toThrow(
      'Stack/Elected: both `handler` and `entry` were given; give one of them; `rate` was given with `cron` or `period`',
    )
  })

  test.each<[string, object, string]>([
    ['nothing to run', { lease: 'billing', ...hourly }, 'give `handler`, a function, or `entry`, the file of one'],
    ['no ticks', { lease: 'billing', entry: 'a.ts' }, 'give `rate`, or both `cron` and `period`'],
    [
      'times of day without a period',
      { lease: 'billing', entry: 'a.ts', cron: {} },
      'the shortest time between two ticks',
    ],
    ['no lease', { entry: 'a.ts', ...hourly }, '`lease` is missing'],
    [
      'a misspelt prop',
      { lease: 'billing', entry: 'a.ts', ...hourly, candidats: 3 },
      'there is no prop `candidats`; did you mean `candidates`?',
    ],
    [
      'a table that is no LeaseTable',
      { lease: 'billing', entry: 'a.ts', ...hourly, leaseTable: {} },
      '`leaseTable` is another object; it must be a LeaseTable, such as `new LeaseTable(this, id, { table })`',
    ],
  ])('%s, where no compiler checks types', (_, props, message) => {
    const { stack, leaseTable } = aStack()
    const unchecked = Object.assign(JSON.parse('{}'), { leaseTable, ...props })
    expect(() => new ElectedSchedule(stack, 'Elected', unchecked)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringContaining(message) }),
    )
  })

  const duration = (name: string, value: string) =>
    `\`${name}\` is ${value}; it must be a Duration, such as \`Duration.minutes(5)\``
  test.each<[string, object, string]>([
    ['a rate', { rate: 60 }, duration('rate', '60')],
    ['a lease duration', { leaseDuration: '15 s' }, duration('leaseDuration', '"15 s"')],
    ['a flexible window', { flexibleWindow: null }, duration('flexibleWindow', 'null')],
    ['a period', { cron: {}, period: [1] }, duration('period', 'a list')],
    ['a lease', { lease: 5 }, '`lease` is 5; it must be a text'],
    ['candidates', { candidates: '2' }, '`candidates` is "2"; it must be a number'],
    ['whether it fires', { enabled: 'no' }, '`enabled` is "no"; it must be true or false'],
    ['a function', { handler: {} }, '`handler` is another object; it must be a function'],
    ['an entry file', { entry: () => undefined }, '`entry` is a function; it must be a text'],
    ["a function's memory", { entry: 'a.ts', entryProps: { memorySize: '1' } }, '`entryProps.memorySize` is "1"'],
    [
      "a function's environment",
      { entry: 'a.ts', entryProps: { environment: { NODE_OPTIONS: 1 } } },
      '`entryProps.environment` is another object; it must be an object of texts',
    ],
    ['times of day', { cron: '0 6 * * ? *' }, '`cron` is "0 6 * * ? *"; it must be an object of its fields, such as'],
    ['an hour', { cron: { hour: 6 } }, '`cron.hour` is 6; it must be a text'],
    [
      'a time zone',
      { cron: { hour: '6', timeZone: 'Europe/Berlin' } },
      '`cron.timeZone` is "Europe/Berlin"; it must be a TimeZone, such as `TimeZone.of(\'Europe/Berlin\')`',
    ],
    [
      'a misspelt field of `cron`',
      { cron: { hour: '6', timezone: TimeZone.EUROPE_BERLIN } },
      'there is no prop `cron.timezone`; did you mean `cron.timeZone`?',
    ],
    ['two kinds of day', { cron: { day: '1', weekDay: 'MON' } }, '`cron` has both `day` and `weekDay`, of which'],
  ])('%s of the wrong kind, where no compiler checks types', (_, props, message) => {
    const { stack, leaseTable } = aStack()
    const unchecked = Object.assign(JSON.parse('{}'), { leaseTable, lease: 'billing' }, props)
    expect(() => new ElectedSchedule(stack, 'Elected', unchecked)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringContaining(message) }),
    )
  })

  test('no props at all', () => {
    const { stack } = aStack()
    const make = [ElectedSchedule, LeadershipEvents, LeadershipAlarms, LeadershipDashboard, HandlerFunction]
    for (const Made of make) {
      expect(() => Reflect.construct(Made, [stack, Made.name])).toThrow(
        expect.objectContaining({
          name: 'ConfigurationError',
          message: expect.stringContaining('the props are undefined; they must be an object'),
        }),
      )
    }
  })

  test('times of day that never come', () => {
    const cron = { minute: '0', hour: '6', day: '30', month: '2' }
    expect(() => electedSchedule({ cron, period: Duration.days(1) })).toThrow(
      'Stack/Elected: `cron` never ticks: there is no such date',
    )
  })

  test('a period that is longer than the times of day are apart: every second tick would count as done', () => {
    const cron = { minute: '0', hour: '6,18' }
    expect(() => electedSchedule({ cron, period: Duration.days(1) })).toThrow(
      'Stack/Elected: `period` is 1 day, but `cron` ticks 12 hours apart; of two ticks less than a period apart the second would count as done, so give the shortest time between two ticks, 12 hours',
    )
    expect(() => electedSchedule({ cron, period: Duration.hours(12) })).not.toThrow()
  })

  test('several mistakes at once, all of them named', () => {
    expect(() => electedSchedule({ ...hourly, lease: '', candidates: 0, leaseDuration: Duration.minutes(2) })).toThrow(
      /lease name "".*`candidates` is 0.*`leaseDuration` is 120 s/,
    )
  })

  test('two schedules of one lease with different periods', () => {
    const { stack, leaseTable } = aStack()
    const elect = (id: string, lease: string, rate: Duration) =>
      new ElectedSchedule(stack, id, { leaseTable, lease, handler: aFunction(stack, `${id}Function`), rate })
    elect('Hourly', 'billing', Duration.hours(1))
    expect(() => elect('Daily', 'billing', Duration.days(1))).toThrow(
      'Stack/Daily: its period is 86400 s, but Stack/Hourly ticks the lease "billing" every 3600 s; schedules that share a lease must have the same period',
    )
    elect('Reports', 'reports', Duration.days(1))
    elect('Sixty', 'billing', Duration.minutes(60))
  })

  test('a second schedule for the same function', () => {
    const { stack, leaseTable, handler } = electedSchedule(hourly)
    expect(() => new ElectedSchedule(stack, 'Other', { leaseTable, lease: 'other', handler, ...hourly })).toThrow(
      'Stack/Other: the function Stack/Function already has an asynchronous invoke configuration',
    )
  })
})

describe('a period that follows the clock on the wall', () => {
  const berlin = (cron: CronOptionsWithTimezone, period: Duration) =>
    electedSchedule({ cron: { minute: '0', ...cron, timeZone: TimeZone.EUROPE_BERLIN }, period })
  const hasNoWarning = ({ stack }: { readonly stack: Stack }) =>
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())

  test('draws a warning in a time zone that has summer time, if two ticks lie 23 hours apart and both still count', () => {
    Annotations.fromStack(berlin({ hour: '6' }, Duration.days(1)).stack).hasWarning(
      '/Stack/Elected',
      Match.stringLikeRegexp('Europe/Berlin has summer time.*are 23 hours apart.*give 23 hours.*tenure:SummerTime'),
    )
  })

  test.each([
    ['30 1', { minute: '30', hour: '1' }, Duration.days(1), /T00:30:00.000Z and .*T23:30:00.000Z.* 23 hours$/],
    ['0 1,13', { hour: '1,13' }, Duration.hours(12), /T00:00:00.000Z and .*T11:00:00.000Z.* 11 hours$/],
    ['0 1,6', { hour: '1,6' }, Duration.hours(5), /T00:00:00.000Z and .*T04:00:00.000Z.* 4 hours$/],
  ])('is refused if the second of two such ticks would count as done: %s', (_, cron, period, message) => {
    expect(() => berlin(cron, period)).toThrow(ConfigurationError)
    expect(() => berlin(cron, period)).toThrow(message)
  })

  test('draws none in UTC, nor if the period allows for it, nor if no tick is near the change', () => {
    hasNoWarning(electedSchedule({ cron: dailyAt6(), period: Duration.days(1) }))
    hasNoWarning(berlin({ hour: '6' }, Duration.hours(23)))
    hasNoWarning(berlin({ hour: '6', weekDay: 'MON-FRI' }, Duration.days(1)))
  })

  test.each([
    ['weekly', { weekDay: 'MON' }, Duration.days(7)],
    ['monthly', { day: '1' }, Duration.days(28)],
    ['yearly', { day: '1', month: '1' }, Duration.days(365)],
  ])('may be as long as %s ticks are apart', (_, dates, period) => {
    const cron = { ...dailyAt6(), ...dates }
    hasNoWarning(electedSchedule({ cron, period }))
    expect(() => electedSchedule({ cron, period: period.plus(Duration.hours(1)) })).toThrow(
      `but \`cron\` ticks ${period.toHumanString()} apart`,
    )
  })

  test('draws a warning if the times cannot be read here', () => {
    const cron = { minute: '0', hour: Lazy.string({ produce: () => '6' }) }
    const { stack } = electedSchedule({ cron, period: Duration.days(1) })
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Elected',
      Match.stringLikeRegexp('could not be read here: check that no two ticks are less than.*tenure:UnreadCron'),
    )
  })
})
