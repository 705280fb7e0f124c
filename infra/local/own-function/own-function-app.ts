/**
 * The CDK app behind `npm start -- --function`: the user's function as the handler of an ElectedSchedule, bundled as it would
 * be for a deployment. Run by `npm start`, which tells it by the CDK's context what to make.
 */
import { join } from 'node:path'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { ElectedSchedule, LeaseTable } from '../../constructs/index.ts'
import { PACKAGES } from './own-entry.ts'
import { makeOwnProject } from './own-project.ts'

/** As npm start gives it, checked there. */
export interface OwnFunctionContext {
  readonly entry: string
  readonly timeoutMs: number
  readonly lease: string
  readonly environment: Readonly<Record<string, string>>
  readonly tables: readonly { readonly name: string; readonly keys: readonly string[] }[]
}

const app = new App()
const own: OwnFunctionContext = app.node.getContext('ownFunction')
const project = join(app.outdir, 'own')
const entry = makeOwnProject(project, own.entry)
// The CDK looks for the lock file from here, and esbuild for packages that are not installed where the function lies.
process.chdir(project)
process.env['NODE_PATH'] = PACKAGES

const stack = new Stack(app, 'Own')
for (const [index, { name, keys }] of own.tables.entries()) {
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
  entryProps: { environment: own.environment, timeout: Duration.millis(own.timeoutMs) },
  rate: Duration.hours(1),
  candidates: app.node.getContext('candidates'),
  leaseDuration: Duration.millis(app.node.getContext('leaseMs')),
})
