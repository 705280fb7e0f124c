// @ts-nocheck
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { ElectedSchedule, LeadershipAlarms, LeadershipDashboard, LeadershipEvents, LeaseTable } from 'tenure/constructs'

const stack = new Stack(new App(), 'Invoices')
const sent = new TableV2(stack, 'Sent', {
  partitionKey: { name: 'tick', type: AttributeType.STRING },
  removalPolicy: RemovalPolicy.DESTROY,
})

const leaseTable = new LeaseTable(stack, 'Leases')
const hourly = new ElectedSchedule(stack, 'Hourly', {
  leaseTable,
  lease: 'invoices',
  entry: 'send-invoices.ts',
  entryProps: { environment: { SENT_TABLE: sent.tableName } },
  rate: Duration.hours(1),
  continues: true,
})
sent.grantWriteData(hourly.handler)

const events = new LeadershipEvents(stack, 'Events', { leaseTable })
const alarms = new LeadershipAlarms(stack, 'Alarms', { events, schedules: [hourly] })
new LeadershipDashboard(stack, 'Dashboard', { schedules: [hourly], alarms })

new CfnOutput(stack, 'LeaseTableName', { value: leaseTable.tableName })
new CfnOutput(stack, 'SentTableName', { value: sent.tableName })
