// @ts-nocheck
import { Duration, type Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { describe, expect, test } from 'vitest'
import {
  type ElectedSchedule,
  LeadershipAlarms,
  type LeadershipAlarmsProps,
  LeadershipEvents,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import { elect, refusal, stackWithTable } from '../support/cdk-app.ts'

const ALARM = 'AWS::CloudWatch::Alarm'

function alarmed(
  makeSchedules: (stack: Stack, leaseTable: LeaseTable) => readonly ElectedSchedule[],
  makeProps: (stack: Stack) => Partial<LeadershipAlarmsProps> = () => ({}),
) {
  const { stack, leaseTable } = stackWithTable()
  const schedules = makeSchedules(stack, leaseTable)
  const events = new LeadershipEvents(stack, 'Events', { leaseTable })
  const { alarms } = new LeadershipAlarms(stack, 'Alarms', { events, schedules, ...makeProps(stack) })
  const template = Template.fromStack(stack)
  const inTemplate = Object.values(template.findResources(ALARM)).map(({ Properties }) => Properties)
  return { stack, alarms, template, inTemplate }
}

const billing = (rate: Duration) => (stack: Stack, leaseTable: LeaseTable) => [
  elect(stack, 'Elected', leaseTable, 'billing', rate),
]
const Dimensions = [
  { Name: 'lease', Value: 'billing' },
  { Name: 'table', Value: { Ref: Match.stringLikeRegexp('^Leases') } },
]

describe('the alarm for overdue ticks', () => {
  test.each([
    { rate: Duration.minutes(1), overdueAfter: 3, bucketS: 300, buckets: 1 },
    { rate: Duration.hours(8), overdueAfter: 3, bucketS: 300, buckets: 288 },
    { rate: Duration.hours(9), overdueAfter: 3, bucketS: 3600, buckets: 27 },
    { rate: Duration.days(1), overdueAfter: 7, bucketS: 3600, buckets: 168 },
  ])('counts completed ticks in $buckets buckets of $bucketS s', ({ rate, overdueAfter, bucketS, buckets }) => {
    alarmed(billing(rate), () => ({ overdueAfter })).template.hasResourceProperties(ALARM, {
      Namespace: 'Tenure',
      MetricName: 'ticksCompleted',
      Dimensions,
      Statistic: 'Sum',
      Period: bucketS,
      EvaluationPeriods: buckets,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    })
  })

  test('uses an hourly check if ticks are further apart than CloudWatch evaluates, one for all leases', () => {
    const { template } = alarmed((stack, leaseTable) => [
      elect(stack, 'One', leaseTable, 'billing', Duration.days(28)),
      elect(stack, 'Two', leaseTable, 'billing', Duration.days(28)),
      elect(stack, 'Three', leaseTable, 'weekly', Duration.days(7)),
      elect(stack, 'Four', leaseTable, 'hourly'),
    ])
    template.hasResourceProperties(ALARM, {
      MetricName: 'ticksOverdue',
      Dimensions,
      Statistic: 'Maximum',
      Period: 3600,
      EvaluationPeriods: 3,
      Threshold: 3,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'breaching',
    })
    const checks = template.findResources('AWS::Scheduler::Schedule', {
      Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Input: Match.stringLikeRegexp('^{"leases":') } },
    })
    expect(Object.values(checks).map(({ Properties }) => JSON.parse(Properties.Target.Input).leases)).toEqual([
      [
        { lease: 'billing', schedule: 'rate(28 days)', timeZone: 'Etc/UTC' },
        { lease: 'weekly', schedule: 'rate(7 days)', timeZone: 'Etc/UTC' },
      ],
    ])
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'))
    expect(policies).toMatch(/"dynamodb:GetItem","dynamodb:Query".*"dynamodb:DescribeTable"/)
  })

  test.each([1, 101, 2.5])('cannot wait for %s periods', (overdueAfter) => {
    expect(() => alarmed(billing(Duration.hours(1)), () => ({ overdueAfter }))).toThrow(
      refusal(`Stack/Alarms: \`overdueAfter\` is ${overdueAfter}; it must be a whole number from 2 to 100`),
    )
  })
})

test('the alarm for dead ticks is on if a check, which may only read, finds some, or does not run', () => {
  const { stack, template } = alarmed((stack, leaseTable) =>
    ['billing', 'billing', 'reports'].map((lease, index) => elect(stack, `S${index}`, leaseTable, lease)),
  )
  template.hasResourceProperties(ALARM, {
    ...{ MetricName: 'ticksDead', Dimensions, Statistic: 'Maximum', Period: 900, EvaluationPeriods: 1, Threshold: 1 },
    ...{ ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'breaching' },
  })
  const checks = template.findResources('AWS::Scheduler::Schedule', {
    Properties: { ScheduleExpression: 'rate(5 minutes)' },
  })
  const [input] = Object.values(checks).map(({ Properties }) => stack.resolve(Properties.Target.Input)['Fn::Join'][1])
  const text = input.map((part: unknown) => (typeof part === 'string' ? part : Object(part).Ref.slice(0, -8))).join('')
  expect(JSON.parse(text)).toEqual({
    deadLetters: [
      { lease: 'billing', queues: ['S0Failures', 'S1Failures'] },
      { lease: 'reports', queues: ['S2Failures'] },
    ],
  })
  const queues = Match.arrayWith([{ 'Fn::GetAtt': [Match.stringLikeRegexp('^S2Failures'), 'Arn'] }])
  const leases = { 'dynamodb:LeadingKeys': ['billing', 'reports'] }
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: ['dynamodb:GetItem', 'dynamodb:Query'],
          Condition: Match.objectLike({ 'ForAllValues:StringEquals': leases }),
        }),
        Match.objectLike({ Action: 'sqs:ReceiveMessage', Resource: queues }),
      ]),
    },
  })
})

describe('the alarms of a schedule', () => {
  const usual = alarmed(billing(Duration.hours(1)), (stack) => ({
    actions: [new SnsAction(new Topic(stack, 'Topic'))],
  }))

  const queue = (id: string) => ({
    Name: 'QueueName',
    Value: { 'Fn::GetAtt': [Match.stringLikeRegexp(`^${id}`), 'QueueName'] },
  })

  test.each([
    ['ticksFailed', 'Sum', 1, Dimensions],
    ['takeover', 'Sum', 1, Dimensions],
    ['clockSkew', 'Maximum', 250, Dimensions],
    ['ApproximateNumberOfMessagesVisible', 'Maximum', 1, [queue('EventsFailures')]],
  ])('include %s, but not if data is missing', (MetricName, Statistic, Threshold, dimensions) => {
    usual.template.hasResourceProperties(ALARM, {
      ...{ MetricName, Statistic, Threshold, Dimensions: dimensions },
      ...{ EvaluationPeriods: 1, TreatMissingData: 'notBreaching' },
    })
  })

  test('describe what happened, and run their actions when they go off and when they return to OK', () => {
    const actions = [{ Ref: expect.stringMatching(/^Topic/) }]
    expect(usual.inTemplate).toHaveLength(6)
    for (const properties of usual.inTemplate) {
      expect(properties).toMatchObject({ AlarmActions: actions, OKActions: actions })
      expect(properties.AlarmDescription).toMatch(/(lease "billing"|^Changes of leases).*\. What to do: "\w+" in docs/)
    }
  })

  test('are shared by schedules of one lease', () => {
    // Some names are paths, or names of other constructs, to the CDK.
    const leases = ['billing', 'billing', 'team/reports', 'team--reports', 'Unannounced']
    leases.push('constructor', '__proto__', 'toString', '//constructor')
    const { alarms, inTemplate } = alarmed((stack, leaseTable) =>
      leases.map((lease, index) => elect(stack, `S${index}`, leaseTable, lease)),
    )
    const metrics = inTemplate.map(({ MetricName }) => MetricName)
    expect(alarms).toHaveLength(metrics.length)
    expect(metrics.filter((name) => name === 'ticksCompleted')).toHaveLength(8)
    expect(metrics.filter((name) => name === 'ticksDead')).toHaveLength(8)
  })

  test('are refused if its lease table is not that of the events', () => {
    expect(() => alarmed((stack) => [elect(stack, 'Elected', new LeaseTable(stack, 'Others'))])).toThrow(
      refusal('Stack/Alarms: Stack/Elected has another lease table than Stack/Events; make events and alarms for each'),
    )
  })
})
