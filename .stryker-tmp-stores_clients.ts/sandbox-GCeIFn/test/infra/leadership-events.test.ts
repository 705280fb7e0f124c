// @ts-nocheck
import { Duration } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import {
  MultiRegionConsistency,
  StreamViewType,
  type TableAttributesV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Key } from 'aws-cdk-lib/aws-kms'
import { expect, test } from 'vitest'
import { LeadershipEvents, type LeadershipEventsProps, LeaseTable } from '../../infra/constructs/index.ts'
import { ACCOUNT, LEASE_KEYS, newStack, refusal, stackWithTable } from '../support/cdk-app.ts'

const FUNCTION = 'AWS::Lambda::Function'
const MAPPING = 'AWS::Lambda::EventSourceMapping'
const variables = (expected: object) => ({ Environment: { Variables: Match.objectLike(expected) } })
const statement = (expected: object) => ({
  PolicyDocument: { Statement: Match.arrayWith([Match.objectLike(expected)]) },
})

const { stack, leaseTable } = stackWithTable()
const events = new LeadershipEvents(stack, 'Events', { leaseTable })
const template = Template.fromStack(stack)

test("the announcer reads lease rows from the stream's beginning, and retries from the record that failed", () => {
  template.hasResourceProperties(MAPPING, {
    EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Leases'), 'StreamArn'] },
    StartingPosition: 'TRIM_HORIZON',
    MaximumRetryAttempts: 100,
    MaximumRecordAgeInSeconds: 86_400,
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    DestinationConfig: { OnFailure: { Destination: stack.resolve(events.failures.queueArn) } },
  })
})

test('the announcer starts after its role may read, sends to the default bus, and keeps history for 30 days', () => {
  const [policy] = Object.keys(template.findResources('AWS::IAM::Policy'))
  const [announcer] = Object.entries(template.findResources(FUNCTION))
  expect(announcer?.[1]['DependsOn']).toContain(policy)
  template.hasResourceProperties(MAPPING, { FunctionName: { Ref: announcer?.[0] } })
  const bus = { 'Fn::Join': ['', Match.arrayWith([':event-bus/default'])] }
  template.hasResourceProperties(FUNCTION, variables({ EVENT_BUS: bus, HISTORY_DAYS: '30' }))
})

test('the announcer sends events to another bus if given, and keeps history for the given days', () => {
  const other = stackWithTable()
  const eventBus = new EventBus(other.stack, 'Bus')
  const history = Duration.days(365)
  new LeadershipEvents(other.stack, 'Events', { leaseTable: other.leaseTable, eventBus, history })
  const arn = other.stack.resolve(eventBus.eventBusArn)
  const withBus = Template.fromStack(other.stack)
  withBus.hasResourceProperties(FUNCTION, variables({ EVENT_BUS: arn, HISTORY_DAYS: '365' }))
  withBus.hasResourceProperties('AWS::IAM::Policy', statement({ Action: 'events:PutEvents', Resource: arn }))
})

const strong = {
  replicas: [{ region: 'eu-west-1' }, { region: 'eu-west-3' }],
  multiRegionConsistency: MultiRegionConsistency.STRONG,
}
function announcedWithoutTtl(props: Partial<LeadershipEventsProps>, ofTable: Partial<TablePropsV2> = {}) {
  const stack = newStack({ env: { region: 'eu-central-1' } })
  const dynamoStream = StreamViewType.NEW_AND_OLD_IMAGES
  const table = new TableV2(stack, 'Table', { ...LEASE_KEYS, dynamoStream, ...ofTable })
  new LeadershipEvents(stack, 'Events', { leaseTable: new LeaseTable(stack, 'Given', { table }), ...props })
  return stack
}

const withTtl = { timeToLiveAttribute: 'ttl' }
const noTtl = /^Stack\/Events: the lease table Stack\/Given does not expire rows by the attribute "ttl"/

test.each<[string, Partial<TablePropsV2>, Duration | undefined, RegExp]>([
  ['a history of hours', withTtl, Duration.hours(36), /`history` is 1.5 days; it must be whole days from 1 to 3650/],
  ['a history of no days', withTtl, Duration.days(0), /`history` is 0 days/],
  ['a history of more than ten years', withTtl, Duration.days(3651), /`history` is 3651 days/],
  ['a table without stream', { dynamoStream: StreamViewType.NEW_IMAGE }, undefined, /no stream of new and old images/],
  ['a table that does not expire rows', {}, undefined, noTtl],
  ['a history in such a table', {}, Duration.days(7), noTtl],
  ['a history in a table with strong consistency', strong, Duration.days(7), /set `history` to false/],
])('%s is refused', (_, ofTable, history, message) => {
  expect(() => announcedWithoutTtl({ history }, ofTable)).toThrow(refusal(message))
})

test.each([
  ['`history` is false', { history: false as const }, {}],
  ['the table is a global table with strong consistency', {}, strong],
])('the announcer may access no row if %s', (_, props, ofTable) => {
  const stack = announcedWithoutTtl(props, ofTable)
  const template = Template.fromStack(stack)
  template.hasResourceProperties(FUNCTION, variables({ HISTORY_DAYS: '0' }))
  template.resourceCountIs(MAPPING, 1)
  const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'))
  expect(policies).toContain('dynamodb:GetRecords')
  expect(policies).not.toMatch(/dynamodb:(Get|Update)Item/)
  const info = 'There is no history of tenures: Stack/Given is a global table with strong consistency'
  const infos = Annotations.fromStack(stack).findInfo('/Stack/Events', Match.stringLikeRegexp(info))
  expect(infos).toHaveLength(ofTable === strong ? 1 : 0)
})

test.each([
  ['only decrypt', false as const, ['kms:Decrypt', 'kms:DescribeKey']],
  ['encrypt, with history,', undefined, Match.arrayWith(['kms:Decrypt', 'kms:Encrypt'])],
])("the announcer may %s by a table's own key", (_, history, Action) => {
  const stack = newStack({ env: { region: 'eu-central-1' } })
  const leaseTable = new LeaseTable(stack, 'Leases', { encryptionKey: new Key(stack, 'Key') })
  new LeadershipEvents(stack, 'Events', { leaseTable, history })
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', statement({ Action }))
})

const tableArn = `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/leases`
const imported = { tableArn, tableStreamArn: `${tableArn}/stream/2026-01-01T00:00:00.000` }
function announcedImport(attributes: TableAttributesV2, props: Partial<LeadershipEventsProps> = {}) {
  const stack = newStack()
  const table = TableV2.fromTableAttributes(stack, 'Imported', attributes)
  const leaseTable = new LeaseTable(stack, 'Theirs', { table })
  new LeadershipEvents(stack, 'Events', { leaseTable, ...props })
  return Annotations.fromStack(stack)
}
const unknownExpiry = Match.stringLikeRegexp('the imported lease table Stack/Theirs expires.*tenure:UnknownExpiry')

test('an imported table is refused without the ARN of its stream', () => {
  const message = /^Stack\/Events: the app does not know the stream's ARN of the lease table Stack\/Theirs; .*Arn }\)`$/
  expect(() => announcedImport({ tableArn })).toThrow(refusal(message))
})

test('an imported table causes a warning unless `history` is set', () => {
  announcedImport(imported).hasWarning('/Stack/Events', unknownExpiry)
  for (const history of [false as const, Duration.days(30)]) {
    announcedImport(imported, { history }).hasNoWarning('/Stack/Events', unknownExpiry)
  }
})
