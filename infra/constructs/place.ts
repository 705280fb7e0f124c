import { Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Where a resource is. Either may be a token: then only the deployment knows it. */
export interface Place {
  readonly account: string
  readonly region: string
}

/** By its ARN, which is right for imported resources too, and otherwise as its own construct says. */
export function placeOfArn(arn: string, otherwise: Place): Place {
  // The CDK reads ARNs so too; one that is a token as a whole has no parts.
  const [scheme, , , region = '', account = ''] = arn.split(':')
  if (scheme !== 'arn') return otherwise
  return { region: region || otherwise.region, account: account || otherwise.account }
}

/** Where a stack is deployed to: what its constructs make is there. */
export function placeOfStack(construct: IConstruct): Place {
  const { account, region } = Stack.of(construct)
  return { account, region }
}

/** `Region` or `account`, whichever is certainly another one; undefined if the two places may be the same. */
export function difference(a: Place, b: Place): 'Region' | 'account' | undefined {
  if (isDifferent(a.region, b.region)) return 'Region'
  return isDifferent(a.account, b.account) ? 'account' : undefined
}

/** Such as `eu-west-1 of account 111122223333`. */
export function written({ account, region }: Place): string {
  const known = (value: string, unknown: string) => (Token.isUnresolved(value) ? unknown : value)
  return `${known(region, 'the Region of its deployment')} of ${known(`account ${account}`, 'the account of its deployment')}`
}

function isDifferent(a: string, b: string): boolean {
  return Token.compareStrings(a, b) === TokenComparison.DIFFERENT
}
