/** Compares the Regions and accounts of resources. */
// @ts-nocheck

import { Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import type { Warning } from './configuration.ts'

/** The `env` of a resource. Either part can be a token: then only the deployment knows it. */
export interface Env {
  readonly account: string
  readonly region: string
}

/** Reads the ARN, which is right for imported resources too. Parts that it does not name are taken from `fallback`. */
export function envOfArn(arn: string, fallback: Env): Env {
  // As in the CDK: an ARN that is one token has no parts.
  const [scheme, , , region = '', account = ''] = arn.split(':')
  if (scheme !== 'arn') return fallback
  return { region: region || fallback.region, account: account || fallback.account }
}

export function envOfStack(construct: IConstruct): Env {
  const { account, region } = Stack.of(construct)
  return { account, region }
}

/** The part that certainly differs; undefined if the two may be equal. */
export function envDifference(a: Env, b: Env): 'Region' | 'account' | undefined {
  if (isDifferent(a.region, b.region)) return 'Region'
  return isDifferent(a.account, b.account) ? 'account' : undefined
}

function isDifferent(a: string, b: string): boolean {
  return Token.compareStrings(a, b) === TokenComparison.DIFFERENT
}

/**
 * Warns if the app knows the Region of a resource, but only the deployment knows the Region of its user.
 *
 * @param what the resource, as the subject of a sentence
 */
export function regionWarnings(what: string, { region }: Env, user: IConstruct, userEnv = envOfStack(user)): Warning[] {
  if (Token.isUnresolved(region) || !Token.isUnresolved(userEnv.region)) return []
  const message =
    `${what} is in ${region}, but only the deployment knows the Region of ${user.node.path}, so a wrong one is not ` +
    `noticed during synthesis; give the stack ${Stack.of(user).node.path} an \`env\``
  return [{ id: 'tenure:UnknownRegion', message }]
}

/** A key for a resource, equal wherever the app refers to it, as far as the app knows. */
export function resourceKey(scope: IConstruct, { account, region }: Env, name: string): string {
  const parts = [account, region, name]
  if (!parts.some((part) => Token.isUnresolved(part))) return JSON.stringify(parts)
  // A token has a meaning only within its stack.
  const stack = Stack.of(scope)
  return `${stack.node.path} ${JSON.stringify(stack.resolve(parts))}`
}

/** Such as `eu-west-1 of account 111122223333`. */
export function showEnv({ account, region }: Env): string {
  const known = (value: string, unknown: string) => (Token.isUnresolved(value) ? unknown : value)
  return `${known(region, 'an unknown Region')} of ${known(`account ${account}`, 'an unknown account')}`
}
