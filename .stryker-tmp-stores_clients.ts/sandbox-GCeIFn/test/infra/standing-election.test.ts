// @ts-nocheck
import { Duration } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import {
  LeadershipAlarms,
  type LeadershipAlarmsProps,
  LeadershipDashboard,
  LeadershipEvents,
  StandingElection,
} from '../../infra/constructs/index.ts'
import { elect, refusal, stackWithTable } from '../support/cdk-app.ts'

function watched(props: Partial<LeadershipAlarmsProps> = {}) {
  const { stack, leaseTable } = stackWithTable()
  const election = new StandingElection(stack, 'Election', { leaseTable, lease: 'scheduler' })
  const events = new LeadershipEvents(stack, 'Events', { leaseTable })
  const alarms = new LeadershipAlarms(stack, 'Alarms', { events, elections: [election], ...props })
  return { stack, leaseTable, election, alarms }
}

test.each([
  ['leaderless', 'Maximum', 180, 120_000, 'breaching'],
  ['elected', 'Sum', 3600, 12, 'notBreaching'],
  ['takeover', 'Sum', 300, 1, 'notBreaching'],
  ['clockSkew', 'Maximum', 300, 250, 'notBreaching'],
])('an alarm watches %s', (MetricName, Statistic, Period, Threshold, TreatMissingData) => {
  const { stack, alarms } = watched()
  expect(alarms.alarms).toHaveLength(5) // with that for changes that could not be announced
  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
    ...{ MetricName, Statistic, Period, Threshold, EvaluationPeriods: 1, TreatMissingData },
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    Dimensions: Match.arrayWith([{ Name: 'lease', Value: 'scheduler' }]),
  })
})

test('a function that may only read this lease looks for a leader every minute', () => {
  const template = Template.fromStack(watched().stack)
  const schedules = Object.values(template.findResources('AWS::Scheduler::Schedule'))
  expect(schedules.map(({ Properties }) => [Properties.ScheduleExpression, Properties.Target.Input])).toEqual([
    ['rate(1 minute)', '{"standing":["scheduler"]}'],
  ])
  const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'))
  expect(policies).toContain('"Action":["dynamodb:GetItem","dynamodb:Query"]')
  expect(policies).not.toMatch(/sqs:ReceiveMessage|dynamodb:DescribeTable/)
})

test('a dashboard shows it, beside schedules', () => {
  const { stack, leaseTable, election } = watched()
  const schedules = [elect(stack, 'Hourly', leaseTable)]
  new LeadershipDashboard(stack, 'Dashboard', { schedules, elections: [election] })
  const dashboards = Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard')
  expect(JSON.stringify(dashboards)).toContain(String.raw`\"leases\":[\"billing\",\"scheduler\"]`)
})

test.each([
  ['it may be leaderless for less than the check can see', { leaderlessAfter: Duration.seconds(29) }, 'at least 30 s'],
  ['any second leader is one too many', { leadersPerHour: 1 }, '`leadersPerHour` is 1; it must be a whole number from'],
])('its alarms are refused if %s', (_sentence, props, message) => {
  expect(() => watched(props)).toThrow(refusal(message))
})

test.each([
  ['a name that no lease has', 'a b', 'the lease name "a b" is not allowed'],
  ['the lease of a schedule', 'billing', 'ticks at no time, but Stack/Hourly for the lease "billing" at rate(1 hour)'],
])('it is refused for %s', (_sentence, lease, message) => {
  const { stack, leaseTable } = stackWithTable()
  elect(stack, 'Hourly', leaseTable)
  expect(() => new StandingElection(stack, 'Election', { leaseTable, lease })).toThrow(refusal(message))
})
