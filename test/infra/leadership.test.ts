import { Duration, Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import {
  AttributeType,
  MultiRegionConsistency,
  StreamViewType,
  type TableAttributesV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { describe, expect, test } from 'vitest'
import {
  ConfigurationError,
  ElectedSchedule,
  LeadershipAlarms,
  type LeadershipAlarmsProps,
  LeadershipDashboard,
  LeadershipEvents,
  type LeadershipEventsProps,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import { aFunction, newApp } from '../support/cdk-app.ts'

function aStack() {
  // Without bundling, which app.test.ts covers.
  const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Stack')
  return { stack, leaseTable: new LeaseTable(stack, 'Leases') }
}

let functions = 0
function elect(stack: Stack, id: string, leaseTable: LeaseTable, lease = 'billing', rate = Duration.hours(1)) {
  const handler = aFunction(stack, `Function${++functions}`)
  return new ElectedSchedule(stack, id, { leaseTable, lease, handler, rate })
}

describe('events of a lease table', () => {
  function announced(props: Partial<LeadershipEventsProps> = {}) {
    const { stack, leaseTable } = aStack()
    const events = new LeadershipEvents(stack, 'Events', { leaseTable, ...props })
    return { stack, events, template: Template.fromStack(stack) }
  }

  const usual = announced()

  test('are made from its stream, of lease rows only, from the beginning', () => {
    const { template } = usual
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Leases'), 'StreamArn'] },
      FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"record":{"S":["LEASE"]}}}}' }] },
      StartingPosition: 'TRIM_HORIZON',
    })
  })

  test('are tried again, in halves and from the record that failed, and end in a queue that is kept for 14 days', () => {
    const { template, stack, events } = usual
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      MaximumRetryAttempts: 100,
      MaximumRecordAgeInSeconds: 86_400,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: stack.resolve(events.failures.queueArn) } },
    })
    template.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true })
  })

  test('go to the default bus of the account, or to one of your own', () => {
    const ofFunction = (bus: unknown) => ({ Environment: { Variables: Match.objectLike({ EVENT_BUS: bus }) } })
    usual.template.hasResourceProperties(
      'AWS::Lambda::Function',
      ofFunction({ 'Fn::Join': ['', Match.arrayWith([':event-bus/default'])] }),
    )
    const { stack, leaseTable } = aStack()
    const eventBus = new EventBus(stack, 'Bus')
    new LeadershipEvents(stack, 'Events', { leaseTable, eventBus })
    const arn = stack.resolve(eventBus.eventBusArn)
    const template = Template.fromStack(stack)
    template.hasResourceProperties('AWS::Lambda::Function', ofFunction(arn))
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'events:PutEvents', Resource: arn })]) },
    })
  })

  test('leave a history of 30 days, or of as many whole days as asked for', () => {
    const days = (count: string) => ({ Environment: { Variables: Match.objectLike({ HISTORY_DAYS: count }) } })
    usual.template.hasResourceProperties('AWS::Lambda::Function', days('30'))
    announced({ history: Duration.days(365) }).template.hasResourceProperties('AWS::Lambda::Function', days('365'))
    for (const history of [Duration.hours(36), Duration.days(0), Duration.days(3651)]) {
      expect(() => announced({ history })).toThrow(ConfigurationError)
      expect(() => announced({ history })).toThrow(/`history` is [\d.]+ days; it must be whole days from 1 to 3650/)
    }
  })

  test('are made once: of two, each would announce what the other left over', () => {
    const { stack, leaseTable } = aStack()
    new LeadershipEvents(stack, 'One', { leaseTable })
    expect(() => new LeadershipEvents(stack, 'Two', { leaseTable })).toThrow(
      'Stack/Two: Stack/One announces the leases of Stack/Leases already; for more receivers, give its event bus more rules',
    )
  })

  describe('without history', () => {
    const keys = {
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    }
    function announcedWithoutTtl(props: Partial<LeadershipEventsProps>, ofTable: Partial<TablePropsV2> = {}) {
      const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Stack', {
        env: { region: 'eu-central-1' },
      })
      const table = new TableV2(stack, 'Table', { ...keys, ...ofTable })
      const leaseTable = new LeaseTable(stack, 'Given', { table })
      new LeadershipEvents(stack, 'Events', { leaseTable, ...props })
      return { stack, template: Template.fromStack(stack) }
    }
    const strong = {
      replicas: [{ region: 'eu-west-1' }, { region: 'eu-west-3' }],
      multiRegionConsistency: MultiRegionConsistency.STRONG,
    }

    test('a table that keeps its rows forever is refused', () => {
      for (const history of [undefined, Duration.days(7)]) {
        expect(() => announcedWithoutTtl({ history })).toThrow(
          'Stack/Events: the lease table Stack/Given does not expire rows by the attribute "ttl", so that its history would be kept forever; make that its time-to-live attribute, or set `history` to false',
        )
      }
      expect(() => announcedWithoutTtl({ history: Duration.days(7) }, strong)).toThrow('set `history` to false')
    })

    test.each([
      ['if so asked', { history: false as const }, {}],
      ['of a global table in strong mode, which cannot expire them', {}, strong],
    ])('they touch no row: %s', (_, props, ofTable) => {
      const { template } = announcedWithoutTtl(props, ofTable)
      template.hasResourceProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike({ HISTORY_DAYS: '0' }) },
      })
      template.resourceCountIs('AWS::Lambda::EventSourceMapping', 1)
      const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'))
      expect(policies).toContain('dynamodb:GetRecords')
      expect(policies).not.toMatch(/dynamodb:(Get|Update)Item/)
    })

    test('a table of its own key lets them decrypt its stream, and no more', () => {
      for (const [history, actions] of [
        [false, ['kms:Decrypt', 'kms:DescribeKey']],
        [undefined, Match.arrayWith(['kms:Decrypt', 'kms:Encrypt'])],
      ] as const) {
        const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Stack', {
          env: { region: 'eu-central-1' },
        })
        const leaseTable = new LeaseTable(stack, 'Leases', { encryptionKey: new Key(stack, 'Key') })
        new LeadershipEvents(stack, 'Events', { leaseTable, history })
        Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
          PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: actions })]) },
        })
      }
    })

    test('a global table in strong mode is said to have none', () => {
      Annotations.fromStack(announcedWithoutTtl({}, strong).stack).hasInfo(
        '/Stack/Events',
        'There is no history of tenures: Stack/Given is a global table in strong mode, which cannot expire rows',
      )
    })
  })

  test('are read only when the announcer may read the stream and report what fails', () => {
    const { template } = usual
    const [policy] = Object.keys(template.findResources('AWS::IAM::Policy'))
    const [announcer] = Object.entries(template.findResources('AWS::Lambda::Function'))
    expect(announcer?.[1]['DependsOn']).toContain(policy)
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { FunctionName: { Ref: announcer?.[0] } })
  })

  test('cannot be made of a table without a stream', () => {
    const { stack } = aStack()
    const keys = {
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
    }
    const leaseTable = new LeaseTable(stack, 'OwnLeases', { table: new TableV2(stack, 'Own', keys) })
    expect(() => new LeadershipEvents(stack, 'OwnEvents', { leaseTable })).toThrow(
      'Stack/OwnEvents: the lease table Stack/OwnLeases has no stream of new and old images; give it one',
    )
  })

  describe('of an imported table', () => {
    const tableArn = 'arn:aws:dynamodb:eu-central-1:111111111111:table/leases'
    const tableStreamArn = `${tableArn}/stream/2026-01-01T00:00:00.000`
    function announcedImport(attributes: TableAttributesV2, props: Partial<LeadershipEventsProps> = {}) {
      const { stack } = aStack()
      const table = TableV2.fromTableAttributes(stack, 'Imported', attributes)
      const leaseTable = new LeaseTable(stack, 'Theirs', { table })
      new LeadershipEvents(stack, 'Events', { leaseTable, ...props })
      return stack
    }
    const unknownExpiry = Match.stringLikeRegexp(
      'not known here whether the imported lease table Stack/Theirs expires rows.*set `history` to.*tenure:UnknownExpiry',
    )

    test('need the ARN of its stream', () => {
      expect(() => announcedImport({ tableArn })).toThrow(
        /^Stack\/Events: the ARN of the stream of the lease table Stack\/Theirs is not known here; import the table with it, `TableV2.fromTableAttributes\(this, id, \{ tableArn, tableStreamArn \}\)`$/,
      )
    })

    test('draw a warning unless `history` says whether its rows expire', () => {
      const imported = { tableArn, tableStreamArn }
      Annotations.fromStack(announcedImport(imported)).hasWarning('/Stack/Events', unknownExpiry)
      for (const history of [false as const, Duration.days(30)]) {
        Annotations.fromStack(announcedImport(imported, { history })).hasNoWarning('/Stack/Events', unknownExpiry)
      }
    })
  })
})

test('Props of the wrong kind are refused, where no compiler checks types', () => {
  const { stack, leaseTable } = aStack()
  const events = new LeadershipEvents(stack, 'Events', { leaseTable })
  for (const [id, Made, props, message] of [
    ['Bus', LeadershipEvents, { leaseTable, eventBus: 'x' }, '`eventBus` is "x"; it must be an event bus, such as'],
    ['History', LeadershipEvents, { leaseTable, history: 30 }, '`history` is 30; it must be a Duration of whole days'],
    ['Table', LeadershipEvents, { leaseTable: leaseTable.table }, '`leaseTable` is another object; it must be a Lease'],
    ['Schedules', LeadershipAlarms, { events, schedules: [{}] }, '`schedules` is a list; it must be a list of Elected'],
    ['Skew', LeadershipAlarms, { events, schedules: [], clockSkew: 250 }, '`clockSkew` is 250; it must be a Duration'],
    ['Board', LeadershipDashboard, { schedules: {} }, '`schedules` is another object; it must be a list of Elected'],
    [
      'Name',
      LeaseTable,
      { table: 'leases' },
      '`table` is "leases"; it must be a table, such as `TableV2.fromTableName(',
    ],
    ['Key', LeaseTable, { encryptionKey: 'alias/x' }, '`encryptionKey` is "alias/x"; it must be a key, such as'],
  ] as const) {
    expect(() => Reflect.construct(Made, [stack, id, props])).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringContaining(message) }),
    )
  }
})

describe('alarms', () => {
  type Chosen = Partial<Omit<LeadershipAlarmsProps, 'events' | 'schedules'>> & { readonly rate?: Duration }
  function alarmed({ rate = Duration.hours(1), ...props }: Chosen = {}) {
    const { stack, leaseTable } = aStack()
    const schedules = [elect(stack, 'Elected', leaseTable, 'billing', rate)]
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const { alarms } = new LeadershipAlarms(stack, 'Alarms', { events, schedules, ...props })
    return { stack, leaseTable, alarms, template: Template.fromStack(stack) }
  }
  const usual = alarmed()
  const ofLease = [
    { Name: 'lease', Value: 'billing' },
    { Name: 'table', Value: { Ref: Match.stringLikeRegexp('^Leases') } },
  ]

  test.each([
    { every: Duration.minutes(1), overdueAfter: 3, bucketS: 300, buckets: 1 },
    { every: Duration.minutes(2), overdueAfter: 3, bucketS: 300, buckets: 2 },
    { every: Duration.hours(1), overdueAfter: 3, bucketS: 300, buckets: 36 },
    { every: Duration.hours(8), overdueAfter: 3, bucketS: 300, buckets: 288 },
    { every: Duration.hours(9), overdueAfter: 3, bucketS: 3600, buckets: 27 },
    { every: Duration.days(1), overdueAfter: 3, bucketS: 3600, buckets: 72 },
    { every: Duration.days(1), overdueAfter: 7, bucketS: 3600, buckets: 168 },
  ])('go off where nobody completed $overdueAfter ticks of $every', ({ every, overdueAfter, bucketS, buckets }) => {
    const { template } = alarmed({ rate: every, overdueAfter })
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'Tenure',
      MetricName: 'ticksCompleted',
      Dimensions: ofLease,
      Statistic: 'Sum',
      Period: bucketS,
      EvaluationPeriods: buckets,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    })
    // CloudWatch refuses more than a day in periods of less than an hour, and more than 7 days in any.
    expect(bucketS * buckets).toBeLessThanOrEqual((bucketS < 3600 ? 1 : 7) * 86_400)
  })

  test('ask an hourly check where ticks are further apart than CloudWatch looks back', () => {
    const { template } = alarmed({ rate: Duration.days(3) })
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ticksOverdue',
      Dimensions: ofLease,
      Statistic: 'Maximum',
      Period: 3600,
      EvaluationPeriods: 3,
      Threshold: 3,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'breaching',
    })
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 hour)',
      Target: Match.objectLike({ Input: '{"leases":[{"lease":"billing","periodMs":259200000}]}' }),
    })
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: ['dynamodb:GetItem', 'dynamodb:Query'] }),
          Match.objectLike({ Action: 'dynamodb:DescribeTable' }),
        ]),
      },
    })
  })

  test('ask one check about all such leases, each once', () => {
    const { stack, leaseTable } = aStack()
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const schedules = [
      elect(stack, 'One', leaseTable, 'monthly', Duration.days(28)),
      elect(stack, 'Two', leaseTable, 'monthly', Duration.days(28)),
      elect(stack, 'Three', leaseTable, 'weekly', Duration.days(7)),
      elect(stack, 'Four', leaseTable, 'hourly', Duration.hours(1)),
    ]
    new LeadershipAlarms(stack, 'Alarms', { events, schedules })
    const checks = Object.values(
      Template.fromStack(stack).findResources('AWS::Scheduler::Schedule', {
        Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Input: Match.stringLikeRegexp('^{"leases":') } },
      }),
    )
    expect(checks.map(({ Properties }) => JSON.parse(Properties.Target.Input))).toEqual([
      {
        leases: [
          { lease: 'monthly', periodMs: 28 * 86_400_000 },
          { lease: 'weekly', periodMs: 7 * 86_400_000 },
        ],
      },
    ])
  })

  test.each([
    { what: 'a leader fails', metric: 'ticksFailed', statistic: 'Sum', threshold: 1 },
    { what: 'a leader dies', metric: 'takeover', statistic: 'Sum', threshold: 1 },
    { what: 'a clock is off', metric: 'clockSkew', statistic: 'Maximum', threshold: 250 },
  ])('go off where $what, and not where nothing is known', ({ metric, statistic, threshold }) => {
    usual.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'Tenure',
      MetricName: metric,
      Dimensions: ofLease,
      Statistic: statistic,
      Threshold: threshold,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    })
  })

  test('go off where a tick was given up, or a change could not be announced', () => {
    const { template } = usual
    for (const queue of ['^ElectedFailures', '^EventsFailures']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [Match.stringLikeRegexp(queue), 'QueueName'] } }],
        Threshold: 1,
      })
    }
  })

  test('say in words what happened, and tell whom they are given, also when it is over', () => {
    const { stack, leaseTable } = aStack()
    const topic = new Topic(stack, 'Topic')
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const schedules = [elect(stack, 'Elected', leaseTable)]
    new LeadershipAlarms(stack, 'Alarms', { events, schedules, actions: [new SnsAction(topic)] })
    const told = [stack.resolve(topic.topicArn)]
    for (const { Properties } of Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'))) {
      expect(Properties).toMatchObject({ AlarmActions: told, OKActions: told })
      expect(Properties.AlarmDescription).toMatch(
        /(lease "billing"|^Changes of leases).*\. What to do: "[A-Za-z]+" in docs/,
      )
    }
  })

  test('are shared by schedules that share a lease, except for those of their queues', () => {
    const { stack, leaseTable } = aStack()
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const schedules = ['One', 'Two'].map((id) => elect(stack, id, leaseTable))
    // Names that are paths, or names of other constructs, to the CDK.
    const odd = [
      'team/reports',
      'team--reports',
      'Unannounced',
      'constructor',
      '__proto__',
      'toString',
      '//constructor',
    ]
    const others = odd.map((lease, index) => elect(stack, `S${index}`, leaseTable, lease))
    const { alarms } = new LeadershipAlarms(stack, 'Alarms', { events, schedules: [...schedules, ...others] })
    const inTemplate = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'))
    const metrics = inTemplate.map(({ Properties }) => Properties.MetricName)
    expect(alarms).toHaveLength(metrics.length)
    expect(metrics.filter((name) => name === 'ticksCompleted')).toHaveLength(8)
    expect(metrics.filter((name) => name.startsWith('Approximate'))).toHaveLength(10)
  })

  test.each([1, 101, 2.5, Number.NaN])('are refused after %s periods', (overdueAfter) => {
    expect(() => alarmed({ overdueAfter })).toThrow(
      `Stack/Alarms: \`overdueAfter\` is ${overdueAfter}; it must be a whole number from 2 to 100`,
    )
  })

  test('are refused for a schedule of another table, whose ticks the events do not count', () => {
    const { stack, leaseTable } = aStack()
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const schedules = [elect(stack, 'Elected', new LeaseTable(stack, 'Others'))]
    expect(() => new LeadershipAlarms(stack, 'Alarms', { events, schedules })).toThrow(
      'Stack/Alarms: Stack/Elected has another lease table than Stack/Events; make events and alarms for each table',
    )
  })
})

interface Widget {
  readonly type: string
  readonly properties: Readonly<Record<string, unknown>>
}

/** The dashboard of a template as JSON, with a word in the place of each reference. */
function bodyOf(template: Template): string {
  const [parts] = Object.values(template.findResources('AWS::CloudWatch::Dashboard')).map(
    ({ Properties }) => Properties.DashboardBody['Fn::Join'][1],
  )
  return parts.map((part: unknown) => (typeof part === 'string' ? part : 'REFERENCE')).join('')
}

const widgetsIn = (body: string): readonly Widget[] => JSON.parse(body).widgets

describe('the dashboard', () => {
  function dashboard(withAlarms: boolean) {
    const { stack, leaseTable } = aStack()
    const schedules = [elect(stack, 'One', leaseTable), elect(stack, 'Two', leaseTable, 'team/reports')]
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const alarms = withAlarms ? new LeadershipAlarms(stack, 'Alarms', { events, schedules }) : undefined
    new LeadershipDashboard(stack, 'Dashboard', { schedules, alarms })
    const template = Template.fromStack(stack)
    const text = bodyOf(template)
    return { template, text, widgets: widgetsIn(text) }
  }

  const usual = dashboard(false)

  test('draws the leases by a function that may read them, and nothing else', () => {
    const { template, widgets } = usual
    expect(widgets.find(({ type }) => type === 'custom')?.properties).toMatchObject({
      params: { leases: ['billing', 'team/reports'] },
      updateOn: { refresh: true, resize: true, timeRange: true },
    })
    const ofWidget = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      JSON.stringify(Properties.Roles).includes('Widget'),
    )
    const actions = ofWidget.flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.flatMap(({ Action }: { readonly Action: unknown }) => Action),
    )
    expect(new Set(actions)).toEqual(
      new Set(['logs:CreateLogStream', 'logs:PutLogEvents', 'dynamodb:GetItem', 'dynamodb:Query']),
    )
  })

  test.each(['ticksCompleted', 'ticksFailed', 'takeover', 'tickDuration', 'elected', 'lost', 'clockSkew'])(
    'graphs %s of each lease',
    (metric) => {
      const { text } = usual
      for (const lease of ['billing', 'team/reports']) {
        expect(text).toContain(`["Tenure","${metric}","lease","${lease}","table","REFERENCE",`)
      }
    },
  )

  test.each(['held', 'tickDone', 'superseded', 'paused', 'contended'])('graphs who stood by because %s', (reason) => {
    expect(usual.text).toContain(`["Tenure","standby","lease","billing","reason","${reason}","table","REFERENCE",`)
  })

  test('shows the states of alarms where there are some', () => {
    expect(dashboard(true).widgets.find(({ type }) => type === 'alarm')?.properties['alarms']).toHaveLength(11)
    expect(usual.widgets.find(({ type }) => type === 'alarm')).toBeUndefined()
  })

  test('shows 100 of them per widget, which is the most that one takes', () => {
    const { stack, leaseTable } = aStack()
    const schedules = Array.from({ length: 21 }, (_, index) => elect(stack, `S${index}`, leaseTable, `lease-${index}`))
    const events = new LeadershipEvents(stack, 'Events', { leaseTable })
    const alarms = new LeadershipAlarms(stack, 'Alarms', { events, schedules })
    new LeadershipDashboard(stack, 'Dashboard', { schedules, alarms })
    const alarmWidgets = widgetsIn(bodyOf(Template.fromStack(stack))).filter(({ type }) => type === 'alarm')
    const shown = alarmWidgets.map(({ properties }) => properties['alarms'])
    expect(shown).toEqual([expect.any(Array), expect.any(Array)])
    expect(shown.map((list) => [list].flat().length)).toEqual([100, 6])
  })

  test('is refused without a schedule, and for two tables', () => {
    const { stack, leaseTable } = aStack()
    expect(() => new LeadershipDashboard(stack, 'None', { schedules: [] })).toThrow(
      'Stack/None: `schedules` has 0 leases; give 1 to 50',
    )
    const schedules = [elect(stack, 'One', leaseTable), elect(stack, 'Two', new LeaseTable(stack, 'Others'))]
    expect(() => new LeadershipDashboard(stack, 'Both', { schedules })).toThrow(
      'Stack/Both: Stack/Two has another lease table than Stack/One; make a dashboard for each table',
    )
  })
})
