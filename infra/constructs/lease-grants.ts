import { Stack } from 'aws-cdk-lib'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
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
 * @throws ConfigurationError where `lease` is not a valid name
 */
export function grantOnLease(table: LeaseTable, grantee: IGrantable, lease: string, actions: string[]): Grant {
  const problems = leaseNameProblems(lease)
  if (problems.length > 0) throw new ConfigurationError(table, problems)
  grantKey(table, grantee)
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

/**
 * Lets `grantee` use the table's key through DynamoDB, where the table has one of its own.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
export function grantKey({ table }: LeaseTable, grantee: IGrantable): void {
  const { encryptionKey } = table
  if (encryptionKey === undefined) return
  const actions = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']
  Grant.addToPrincipal({
    grantee,
    actions: actions.map((action) => `kms:${action}`),
    resourceArns: [encryptionKey.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(table).region}.amazonaws.com` } },
  })
}
