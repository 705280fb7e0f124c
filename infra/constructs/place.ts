import { Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import type { Warning } from './warning.ts'

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

/**
 * That a resource, whose Region the app knows, may turn out to be in another one than its user, whose Region only the
 * deployment knows.
 *
 * @param what the resource, as the subject of a sentence
 */
export function regionWarnings(what: string, there: Place, user: IConstruct, here = placeOfStack(user)): Warning[] {
  if (Token.isUnresolved(there.region) || !Token.isUnresolved(here.region)) return []
  const stack = Stack.of(user).node.path
  const message = `${what} is in ${there.region}, but the Region of ${user.node.path} is known only at deployment, so that a wrong one is not noticed here; give the stack ${stack} an \`env\``
  return [{ id: 'tenure:UnknownRegion', message }]
}

/** A name for a resource that is the same wherever the app refers to it, as far as the app can tell. */
export function identity(scope: IConstruct, { account, region }: Place, name: string): string {
  const parts = [account, region, name]
  if (!parts.some((part) => Token.isUnresolved(part))) return JSON.stringify(parts)
  // What a token stands for is known within its stack only.
  const stack = Stack.of(scope)
  return `${stack.node.path} ${JSON.stringify(stack.resolve(parts))}`
}

/** Such as `eu-west-1 of account 111122223333`. */
export function written({ account, region }: Place): string {
  const known = (value: string, unknown: string) => (Token.isUnresolved(value) ? unknown : value)
  return `${known(region, 'the Region of its deployment')} of ${known(`account ${account}`, 'the account of its deployment')}`
}

function isDifferent(a: string, b: string): boolean {
  return Token.compareStrings(a, b) === TokenComparison.DIFFERENT
}
