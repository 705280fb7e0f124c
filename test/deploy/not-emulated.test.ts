import { Match, type Template } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { readTemplate, synthesize } from './assembly.ts'
import { SHORT_LEASE, STACK } from './stack.ts'

const emulator = inject('emulator')

/** The emulator takes these settings and does nothing with them, so that here only the template can be looked at. */
describe.skipIf(emulator === undefined)('what the emulator cannot show, but the template says', () => {
  if (emulator === undefined) return
  let template: Template

  beforeAll(async () => {
    template = await readTemplate(await synthesize(emulator, SHORT_LEASE), STACK)
  })

  test('Scheduler tries an event that Lambda does not take twice more, for an hour, then puts it into the queue', () => {
    template.allResourcesProperties('AWS::Scheduler::Schedule', {
      Target: {
        RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    })
  })

  test('Scheduler may use its role only for the schedules of this account', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'scheduler.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': Match.anyValue(), 'aws:SourceArn': Match.anyValue() } },
          }),
        ],
      },
    })
  })

  test('Lambda offers changes of leases again, in halves, from the one that failed, and puts what is left into a queue', () => {
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      MaximumRetryAttempts: 100,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    })
  })

  test('CloudWatch looks at what was counted, also where nothing was, and tells a topic', () => {
    const topic = [{ Ref: Match.stringLikeRegexp('^AlarmTopic') }]
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: topic, OKActions: topic })
    template.resourceCountIs('AWS::CloudWatch::Alarm', 6)
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ticksCompleted',
      TreatMissingData: 'breaching',
    })
  })

  test('history rows expire', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    })
  })

  test('functions run on the pinned runtime and processor, not on the Node of this machine', () => {
    template.allResourcesProperties('AWS::Lambda::Function', { Runtime: 'nodejs24.x', Architectures: ['arm64'] })
  })

  test('the failure queue is encrypted and refuses requests without TLS', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true })
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    })
  })

  test('what cannot be computed again is protected from deletion, and can be restored to any second of 35 days', () => {
    const tables = template.findResources('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    })
    const kinds = Object.keys(tables).map((id) => id.replace(/(Table)?[0-9A-F]{8}$/, ''))
    expect(kinds.sort()).toEqual(['Charges', 'Leases', 'Subscriptions'])
  })
})
