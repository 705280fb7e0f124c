import { CfnResource, Reference, Stack, Tokenization } from 'aws-cdk-lib'
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
  readonly attributes: unknown
  readonly replicas: number
  readonly consistency: string | undefined
  readonly streamed: unknown
  readonly expires: unknown
}

/** Why leases cannot live in this table, as far as the app knows it: of an imported one only the name is known. */
export function tableProblems(table: AnyTable): string[] {
  const described = describe(table)
  if (described === undefined) return []
  const { keys, attributes, replicas, consistency } = described
  const problems: string[] = []
  if (JSON.stringify(keys) !== JSON.stringify(LEASE_KEYS)) {
    problems.push(
      `the table's key is ${JSON.stringify(keys)}; leases need the partition key "lease" and the sort key "record"`,
    )
  }
  for (const [name, type] of otherTypes(attributes)) {
    problems.push(`the table's key "${name}" is of the type ${JSON.stringify(type)}; leases need texts, the type "S"`)
  }
  if (replicas > 1 && consistency !== 'STRONG') {
    problems.push(
      `the table is a global table of ${replicas} Regions in eventual mode, which settles concurrent writes by the last one, so that candidates in two Regions could both lead; keep it in one Region, or set its multiRegionConsistency to STRONG`,
    )
  }
  return problems
}

/** Whether the table's stream shows new and old images, as far as the app knows. */
export function showsImages(table: AnyTable): boolean {
  const described = describe(table)
  return described === undefined || JSON.stringify(described.streamed) === JSON.stringify(IMAGES)
}

/** The ARN of the table's stream, if the app knows it. Of a replica it does not: the CDK ends that ARN in a wildcard. */
export function streamArnOf({ tableStreamArn }: AnyTable): string | undefined {
  return tableStreamArn?.endsWith('/stream/*') === true ? undefined : tableStreamArn
}

/** Whether it was not made in this app, which therefore does not know how it is set up. */
export function isForeign(table: AnyTable): boolean {
  return resourceOf(table) === undefined
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

const KEYS = LEASE_KEYS.map(({ attributeName }) => attributeName)

/** What makes the table in this app, also behind a replica, and behind an import of the ARN of a table made here. */
export function resourceOf(table: AnyTable): CfnTable | CfnGlobalTable | undefined {
  // A replica is a child of its global table, and has no resource of its own.
  const { defaultChild } = table.node.scope instanceof TableV2 ? table.node.scope.node : table.node
  const [token] = Tokenization.reverseString(table.tableArn).tokens
  const referred = Reference.isReference(token) ? token.target : undefined
  return [defaultChild, referred].find((made) => made instanceof CfnTable || made instanceof CfnGlobalTable)
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html */
function describe(table: AnyTable): Described | undefined {
  const resource = resourceOf(table)
  if (resource === undefined) return undefined
  const resolved = (value: unknown): unknown => Stack.of(resource).resolve(value)
  const common = {
    keys: resolved(resource.keySchema),
    attributes: resolved(resource.attributeDefinitions),
    streamed: resolved(resource.streamSpecification),
    expires: resolved(resource.timeToLiveSpecification),
  }
  if (resource instanceof CfnGlobalTable) {
    const replicas = resolved(resource.replicas)
    const count = Array.isArray(replicas) ? replicas.length : 1
    return { ...common, replicas: count, consistency: resource.multiRegionConsistency }
  }
  // The older construct makes a custom resource for each replica; they are always in eventual mode.
  const others = (resource.node.scope ?? resource).node.findAll().filter(isReplica).length
  return { ...common, replicas: 1 + others, consistency: undefined }
}

/** The keys of the table that are no texts, each with its type. */
function otherTypes(attributes: unknown): [string, unknown][] {
  const list: unknown[] = Array.isArray(attributes) ? attributes : []
  const types = list.map((attribute): [string, unknown] => {
    const { attributeName, attributeType }: Record<string, unknown> = { ...Object(attribute) }
    return [String(attributeName), attributeType]
  })
  return types.filter(([name, type]) => KEYS.includes(name) && type !== 'S')
}

function isReplica(child: unknown): boolean {
  return child instanceof CfnResource && child.cfnResourceType === 'Custom::DynamoDBReplica'
}
