/**
 * The CDK app behind `tenure dev`: the user's function as the handler of an ElectedSchedule, bundled as for a
 * deployment. `tenure dev` passes what to build in the CDK context.
 */
// @ts-nocheck

import { join } from 'node:path'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { ElectedSchedule, LeaseTable } from '../../constructs/index.ts'
import { makeProject, PACKAGES } from './entry.ts'
import type { OwnFunctionOptions } from './own-function.ts'

const app = new App()
const own: OwnFunctionOptions & { readonly entry: string } = app.node.getContext('ownFunction')
const project = join(app.outdir, 'own')
const entry = makeProject(project, own.entry)
// The CDK searches the lock file from here, and esbuild packages that are not installed beside the function.
process.chdir(project)
process.env['NODE_PATH'] = PACKAGES

const stack = new Stack(app, 'Own')
for (const [index, { name, keys }] of own.table.entries()) {
  const [partition = '', sort] = keys
  new TableV2(stack, `Table${index + 1}`, {
    tableName: name,
    partitionKey: { name: partition, type: AttributeType.STRING },
    ...(sort === undefined ? {} : { sortKey: { name: sort, type: AttributeType.STRING } }),
  })
}
new ElectedSchedule(stack, 'Schedule', {
  leaseTable: new LeaseTable(stack, 'Leases'),
  lease: own.lease,
  entry,
  entryProps: { environment: own.env, timeout: Duration.millis(own.timeout) },
  rate: Duration.hours(1),
  candidates: app.node.getContext('candidates'),
  leaseDuration: Duration.millis(app.node.getContext('leaseMs')),
})
