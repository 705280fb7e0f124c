import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import { leaseNameProblems } from './lease-name.ts'
import type { LeaseTable } from './lease-table.ts'

/**
 * Permits `actions` on the items of one lease: its row and its history.
 *
 * Without the `Null` condition, ForAllValues would also allow a request that names no key at all.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 *
 * @throws ConfigurationError where `lease` is not a valid name, or `grantee` is a function of another Region or account
 */
export function grantOnLease(
  table: LeaseTable,
  grantee: IGrantable,
  lease: string,
  access: Access,
  actions: string[],
): Grant {
  const problems = leaseNameProblems(lease)
  if (problems.length > 0) throw new ConfigurationError(table, problems)
  // Roles have no Region.
  if (isFunction(grantee)) table.assertSamePlace(grantee, grantee.env)
  grantKey(table, grantee, access)
  return Grant.addToPrincipal({
    grantee,
    actions,
    resourceArns: [table.tableArn],
    conditions: {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [lease] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  })
}

/** What the items of an encrypted table are used for. */
export type Access = 'read' | 'write'

const READ = ['Decrypt', 'DescribeKey']
const KEY_ACTIONS: Readonly<Record<Access, readonly string[]>> = {
  read: READ,
  write: [...READ, 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'],
}

/**
 * Lets `grantee` use the table's key through DynamoDB, if the table has one of its own.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
export function grantKey({ encryptionKey, place }: LeaseTable, grantee: IGrantable, access: Access): void {
  if (encryptionKey === undefined) return
  Grant.addToPrincipal({
    grantee,
    actions: KEY_ACTIONS[access].map((action) => `kms:${action}`),
    resourceArns: [encryptionKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${place.region}.amazonaws.com` } },
  })
}

/**
 * The key that an alias stands for: a policy that names an alias's ARN permits nothing. Undefined if only the alias's name
 * is known. https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
export function keyBehind(key: IKey): IKey | undefined {
  if (!isAlias(key)) return key
  try {
    return keyBehind(key.aliasTargetKey)
  } catch {
    // So the CDK says that it imported the alias by its name alone.
    return undefined
  }
}

function isAlias(key: IKey): key is IAlias {
  return 'aliasName' in key
}

export function isFunction(value: unknown): value is IFunction {
  return Construct.isConstruct(value) && 'functionArn' in value
}
