import { CfnResource, Stack } from 'aws-cdk-lib'
import { CfnGlobalTable, CfnTable, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IConstruct } from 'constructs'
import type { Place } from './place.ts'

/** What the CDK's `TableV2`, its older `Table`, and a table that it imports have in common. */
export interface AnyTable extends IConstruct {
  readonly tableName: string
  readonly tableArn: string
  readonly tableStreamArn?: string | undefined
  readonly encryptionKey?: IKey | undefined
  readonly env?: Place | undefined
}

/** What the table's own description says, for both of CloudFormation's table types. */
interface Described {
  readonly keys: unknown
  readonly replicas: number
  readonly consistency: string | undefined
  readonly streamed: unknown
  readonly expires: unknown
}

/** Why leases cannot live in this table, as far as the app knows it: of an imported one only the name is known. */
export function tableProblems(table: AnyTable): string[] {
  const described = describe(table)
  if (described === undefined) return []
  const { keys, replicas, consistency } = described
  const problems: string[] = []
  if (JSON.stringify(keys) !== JSON.stringify(LEASE_KEYS)) {
    problems.push(
      `the table's key is ${JSON.stringify(keys)}; leases need the partition key "lease" and the sort key "record"`,
    )
  }
  if (replicas > 1 && consistency !== 'STRONG') {
    problems.push(
      `the table is a global table of ${replicas} Regions in eventual mode, which settles concurrent writes by the last one, so that candidates in two Regions could both lead; keep it in one Region, or set its multiRegionConsistency to STRONG`,
    )
  }
  return problems
}

/** The ARN of the table's stream, if it has one that shows new and old images, as far as the app knows. */
export function streamArnOf(table: AnyTable): string | undefined {
  const described = describe(table)
  const showsImages = described === undefined || JSON.stringify(described.streamed) === JSON.stringify(IMAGES)
  // Of a replica the app does not know which stream it has: its ARN ends in a wildcard.
  const { tableStreamArn } = table
  return showsImages && tableStreamArn?.endsWith('/stream/*') !== true ? tableStreamArn : undefined
}

/** Whether it is a global table in strong mode, which has no time to live. */
export function isStrong(table: AnyTable): boolean {
  return describe(table)?.consistency === 'STRONG'
}

/** The table's time-to-live attribute; of an imported table, which the app does not know, the one that it should be. */
export function expiresBy(table: AnyTable): string | undefined {
  const described = describe(table)
  if (described === undefined) return 'ttl'
  if (described.consistency === 'STRONG') return undefined
  const { attributeName, enabled }: Record<string, unknown> = { ...Object(described.expires) }
  return enabled === true && typeof attributeName === 'string' ? attributeName : undefined
}

const IMAGES = { streamViewType: 'NEW_AND_OLD_IMAGES' }

const LEASE_KEYS = [
  { attributeName: 'lease', keyType: 'HASH' },
  { attributeName: 'record', keyType: 'RANGE' },
]

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html */
function describe(table: AnyTable): Described | undefined {
  // A replica is a child of its global table, and has no resource of its own.
  const { defaultChild } = table.node.scope instanceof TableV2 ? table.node.scope.node : table.node
  const resolved = (value: unknown): unknown => Stack.of(table).resolve(value)
  if (defaultChild instanceof CfnGlobalTable) {
    const { replicas, keySchema, multiRegionConsistency: consistency, streamSpecification } = defaultChild
    const expires = resolved(defaultChild.timeToLiveSpecification)
    const list = resolved(replicas)
    const count = Array.isArray(list) ? list.length : 1
    return { keys: resolved(keySchema), replicas: count, consistency, streamed: resolved(streamSpecification), expires }
  }
  if (defaultChild instanceof CfnTable) {
    // The older construct makes a custom resource for each replica; they are always in eventual mode.
    const others = table.node.findAll().filter(isReplica).length
    const { keySchema, streamSpecification } = defaultChild
    return {
      keys: resolved(keySchema),
      replicas: 1 + others,
      consistency: undefined,
      streamed: resolved(streamSpecification),
      expires: resolved(defaultChild.timeToLiveSpecification),
    }
  }
  return undefined
}

function isReplica(child: unknown): boolean {
  return child instanceof CfnResource && child.cfnResourceType === 'Custom::DynamoDBReplica'
}
