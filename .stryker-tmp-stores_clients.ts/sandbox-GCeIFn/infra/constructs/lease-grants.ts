// @ts-nocheck
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { leaseNameProblems, refuse } from './configuration.ts'
import { assertSameRegion } from './lease-table-use.ts'
import { envOfTable, type TableReference } from './table-description.ts'

/**
 * Allows to read or to write the items of these leases: their rows and history.
 *
 * Without the `Null` condition, ForAllValues also allows a request that names no key: see "Single-valued vs.
 * multivalued context keys" in the IAM User Guide, and
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 * @throws ConfigurationError if a lease has no valid name, or `grantee` is a function of another Region or account
 */
export function grantOnLeases(
  leaseTable: TableReference,
  grantee: IGrantable,
  leases: readonly string[],
  access: Access,
): Grant {
  refuse(leaseTable, leases.flatMap(leaseNameProblems))
  // Roles have no Region.
  if (isFunction(grantee)) assertSameRegion(leaseTable, grantee, grantee.env)
  grantKey(leaseTable, grantee, access)
  return Grant.addToPrincipal({
    grantee,
    actions: LEASE_ACTIONS[access].map((action) => `dynamodb:${action}`),
    resourceArns: [leaseTable.table.tableArn],
    conditions: {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [...leases] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  })
}

const LEASE_ACTIONS = {
  read: ['GetItem', 'Query'],
  write: ['UpdateItem', 'ConditionCheckItem'],
  stand: ['GetItem', 'Query', 'UpdateItem', 'ConditionCheckItem'],
} as const
type Access = keyof typeof LEASE_ACTIONS

const READ = ['Decrypt', 'DescribeKey']
const WRITE = [...READ, 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']
const KEY_ACTIONS = { read: READ, write: WRITE, stand: WRITE }

/**
 * Allows `grantee` to use the table's own key, if it has one, through DynamoDB.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
export function grantKey({ encryptionKey, table }: TableReference, grantee: IGrantable, access: Access): void {
  if (encryptionKey === undefined) return
  Grant.addToPrincipal({
    grantee,
    actions: KEY_ACTIONS[access].map((action) => `kms:${action}`),
    resourceArns: [encryptionKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${envOfTable(table).region}.amazonaws.com` } },
  })
}

/**
 * The key behind an alias: a policy that names the ARN of an alias allows nothing. Undefined if the app knows only the
 * alias's name. https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
export function keyOfAlias(key: IKey): IKey | undefined {
  if (!isAlias(key)) return key
  try {
    return keyOfAlias(key.aliasTargetKey)
  } catch {
    return undefined // the CDK throws if the alias was imported by name
  }
}

function isAlias(key: IKey): key is IAlias {
  return 'aliasName' in key
}

export function isFunction(value: unknown): value is IFunction {
  return Construct.isConstruct(value) && 'functionArn' in value
}
