/** Reads what the app knows about a DynamoDB table. It knows only the name of an imported table. */
// @ts-nocheck

import { CfnResource, Reference, Stack, Tokenization } from 'aws-cdk-lib'
import { CfnGlobalTable, CfnTable, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IConstruct } from 'constructs'
import { show } from '../../functions/election/show.ts'
import { problemsIf } from './configuration.ts'
import { type Env, envOfArn, envOfStack } from './regions.ts'

/** A `TableV2`, a `Table`, or an import of either. */
export interface AnyTable extends IConstruct {
  readonly tableName: string
  readonly tableArn: string
  readonly tableStreamArn?: string | undefined
  readonly encryptionKey?: IKey | undefined
  readonly env?: Env | undefined
}

/** A construct that refers to a table, such as a `LeaseTable`. */
export interface TableReference extends IConstruct {
  readonly table: AnyTable
  /** Not an alias. */
  readonly encryptionKey: IKey | undefined
}

const LEASE_KEYS = [
  { attributeName: 'lease', keyType: 'HASH' },
  { attributeName: 'record', keyType: 'RANGE' },
]
const NEW_AND_OLD_IMAGES = { streamViewType: 'NEW_AND_OLD_IMAGES' }

/** Why this table cannot store leases. */
export function tableProblems(table: AnyTable): string[] {
  const description = describe(table)
  if (description === undefined) return []
  const { keys, attributes, regions, consistency } = description
  const typeOf = (key: string): unknown =>
    Object([attributes].flat().find((each) => Object(each).attributeName === key)).attributeType
  return problemsIf(
    [
      JSON.stringify(keys) !== JSON.stringify(LEASE_KEYS),
      `the table's key is ${JSON.stringify(keys)}; leases need the partition key "lease" and the sort key "record"`,
    ],
    ...LEASE_KEYS.map(({ attributeName: key }): [boolean, string] => [
      (typeOf(key) ?? 'S') !== 'S',
      `the table's key "${key}" has the type ${show(typeOf(key))}; leases need the type "S"`,
    ]),
    [
      regions > 1 && consistency !== 'STRONG',
      `the table is a global table of ${regions} Regions with eventual consistency, where the last of two concurrent ` +
        'writes wins, so candidates in two Regions could both lead; keep the table in one Region, or set ' +
        '`multiRegionConsistency` to STRONG',
    ],
  )
}

/** How the table supports an announcer. An imported table is assumed to have stream and time to live. */
export function announcerSupport(table: AnyTable) {
  const description = describe(table)
  const isImported = description === undefined
  const { attributeName, enabled }: Record<string, unknown> = { ...Object(description?.timeToLive) }
  /** Such a global table has no time to live. */
  const isStronglyConsistent = description?.consistency === 'STRONG'
  return {
    isImported,
    isStronglyConsistent,
    streamsImages: isImported || JSON.stringify(description.stream) === JSON.stringify(NEW_AND_OLD_IMAGES),
    expiresByTtl: isImported || (!isStronglyConsistent && enabled === true && attributeName === 'ttl'),
    // For a replica the CDK makes an ARN that ends in a wildcard.
    streamArn: table.tableStreamArn?.endsWith('/stream/*') === true ? undefined : table.tableStreamArn,
  }
}

export function envOfTable(table: AnyTable): Env {
  return envOfArn(table.tableArn, table.env ?? envOfStack(table))
}

/** The resource in this app, also for a replica, and for an import by the ARN of a table of this app. */
export function resourceOf(table: AnyTable): CfnTable | CfnGlobalTable | undefined {
  // A replica is a child of its global table and has no resource of its own.
  const { defaultChild } = table.node.scope instanceof TableV2 ? table.node.scope.node : table.node
  const [token] = Tokenization.reverseString(table.tableArn).tokens
  const target = Reference.isReference(token) ? token.target : undefined
  return [defaultChild, target].find((resource) => resource instanceof CfnTable || resource instanceof CfnGlobalTable)
}

/**
 * The table's properties, the same for both of CloudFormation's types of tables.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
 */
function describe(table: AnyTable) {
  const resource = resourceOf(table)
  if (resource === undefined) return undefined
  const resolve = (value: unknown): unknown => Stack.of(resource).resolve(value)
  const common = {
    keys: resolve(resource.keySchema),
    attributes: resolve(resource.attributeDefinitions),
    stream: resolve(resource.streamSpecification),
    timeToLive: resolve(resource.timeToLiveSpecification),
  }
  if (resource instanceof CfnGlobalTable) {
    const replicas = resolve(resource.replicas)
    const regions = Array.isArray(replicas) ? replicas.length : 1
    return { ...common, regions, consistency: resource.multiRegionConsistency }
  }
  // `Table` makes a custom resource for each replica; its consistency is always eventual.
  const replicas = (resource.node.scope ?? resource).node.findAll().filter(isReplica)
  return { ...common, regions: 1 + replicas.length, consistency: undefined }
}

function isReplica(child: unknown): boolean {
  return child instanceof CfnResource && child.cfnResourceType === 'Custom::DynamoDBReplica'
}
