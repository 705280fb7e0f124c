// @ts-nocheck
import { App, Duration, Stack } from 'aws-cdk-lib'
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { ElectedSchedule, LeaseTable } from 'tenure/constructs'

const stack = new Stack(new App(), 'Reports')
const reports = new TableV2(stack, 'ReportsTable', { partitionKey: { name: 'id', type: AttributeType.STRING } })
const hourly = new ElectedSchedule(stack, 'Hourly', {
  leaseTable: new LeaseTable(stack, 'Leases'),
  lease: 'reports',
  entry: 'functions/write-report.ts',
  entryProps: { environment: { REPORTS_TABLE: reports.tableName } },
  rate: Duration.hours(1), // or `cron`: weekly, monthly, in a time zone
})
reports.grantWriteData(hourly.handler)
