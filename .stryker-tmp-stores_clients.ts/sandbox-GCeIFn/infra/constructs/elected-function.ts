/**
 * The function that a schedule invokes, or its alias or version: the environment variables that name its lease, and why
 * a schedule cannot elect it.
 */
// @ts-nocheck

import { CfnResource, Stack } from 'aws-cdk-lib'
import { Role } from 'aws-cdk-lib/aws-iam'
import {
  CfnEventInvokeConfig,
  CfnFunction,
  type IAlias,
  type IFunction,
  type IVersion,
  type Function as LambdaFunction,
} from 'aws-cdk-lib/aws-lambda'
import type { IConstruct } from 'constructs'
import { isFunction } from './lease-grants.ts'
import { envDifference, envOfStack, resourceKey, showEnv } from './regions.ts'

const LATEST = '$LATEST'

/** The function behind an alias or a version; any other function itself. */
export function functionOf(handler: IFunction): IFunction {
  return versionOf(handler)?.lambda ?? handler
}

/** The function itself for its `latestVersion`, which Lambda runs if there is no qualifier. */
export function unqualified(handler: IFunction): IFunction {
  return isVersion(handler) && handler.version === LATEST ? handler.lambda : handler
}

export function qualifierOf(handler: IFunction): string {
  return isAlias(handler) ? handler.aliasName : (versionOf(handler)?.version ?? LATEST)
}

/** Whether this app makes the function, so that the app can set its environment. */
export function isMadeHere(handler: IFunction): handler is LambdaFunction {
  return 'addEnvironment' in handler
}

/** Whether the handler runs with the function's present environment: a version keeps the one it was published with. */
export function hasPresentEnvironment(handler: IFunction): boolean {
  const version = versionOf(handler)
  // `Function.currentVersion` has this id. It publishes a new version whenever the function changes.
  return version === undefined || version.version === LATEST || version.node.id === 'CurrentVersion'
}

/** Environment variables of the function whose values differ from those that the schedule sets. */
export function environmentProblems(handler: IFunction, variables: Readonly<Record<string, string>>): string[] {
  const { defaultChild, path } = handler.node
  if (!(defaultChild instanceof CfnFunction)) return []
  const resolve = (value: unknown): unknown => Stack.of(handler).resolve(value)
  const { variables: given }: Record<string, unknown> = { ...Object(resolve(defaultChild.environment)) }
  const known = new Map(Object.entries(Object(given)))
  return Object.entries(variables).flatMap(([name, value]) => {
    const [has, sets] = [JSON.stringify(known.get(name)), JSON.stringify(resolve(value))]
    if (!known.has(name) || has === sets) return []
    return [
      `the function ${path} has the environment variable ${name}=${has}, but this schedule sets ${name}=${sets}; ` +
        'do not set it yourself, and use one function per lease',
    ]
  })
}

function versionOf(handler: IFunction): IVersion | undefined {
  if (isAlias(handler)) return handler.version
  return isVersion(handler) ? handler : undefined
}

function isAlias(handler: IFunction): handler is IAlias {
  return 'aliasName' in handler
}

function isVersion(handler: IFunction): handler is IVersion {
  return 'version' in handler && 'lambda' in handler
}

/** Reasons why a schedule cannot elect a function: its stack, Region, role or retries. @param scope the schedule */
export function functionProblems(scope: IConstruct, handler: IFunction): string[] {
  const ofStack = stackProblems(scope, handler)
  return [
    ...arnProblems(handler),
    ...regionProblems(scope, handler),
    ...(ofStack.length > 0 ? ofStack : roleProblems(scope, handler)),
    ...retryProblems(handler),
  ]
}

/** Lambda's setting for retries and the schedules are made in the stack of the schedule. */
function regionProblems(scope: IConstruct, handler: IFunction): string[] {
  const env = envOfStack(scope)
  const difference = envDifference(handler.env, env)
  const problem =
    `the function ${handler.node.path} is in ${showEnv(handler.env)}, but the schedule is in ${showEnv(env)}; ` +
    `make the schedule in a stack of the function's ${difference}`
  return difference === undefined ? [] : [problem]
}

/** The CDK ignores the qualifier of an imported ARN and would set the retries of `$LATEST`. */
function arnProblems(handler: IFunction): string[] {
  const { functionArn, node } = functionOf(handler)
  const qualifier = functionArn.split(':')[7]
  const problem =
    `the function ${node.path} is imported by an ARN with the qualifier ":${qualifier}", which the CDK ignores; ` +
    'import the function without it, then `Alias.fromAliasAttributes(…, { aliasName, aliasVersion })` or ' +
    '`Version.fromVersionAttributes(…, { lambda, version })`'
  return qualifier === undefined ? [] : [problem]
}

/** The function depends on the failure queue, and the schedules on the function: two stacks would form a cycle. */
function stackProblems(scope: IConstruct, handler: IFunction): string[] {
  const elsewhere = [...new Set([functionOf(handler), handler])].flatMap((construct) => {
    const stack = otherStack(scope, construct)
    return stack === undefined ? [] : [`${construct.node.path} is in the stack ${stack}`]
  })
  const problem =
    `the function ${elsewhere.join(' and ')}, but the schedule is in ${Stack.of(scope).node.path}, and the stacks ` +
    'would depend on each other; make the schedule in the stack of the function and its alias'
  return elsewhere.length === 0 ? [] : [problem]
}

function roleProblems(scope: IConstruct, handler: IFunction): string[] {
  const { role, node } = handler
  if (role === undefined) {
    return [
      `the function ${node.path} is imported without its role, so it cannot be granted permission to lead; import it ` +
        'with `Function.fromFunctionAttributes(…, { functionArn, role, sameEnvironment: true })`',
    ]
  }
  // A role of `withoutPolicyUpdates` gets no policy, so it does not depend on this stack.
  const stack = role instanceof Role ? otherStack(scope, role) : undefined
  if (stack === undefined) return []
  return [
    `the function's role ${role.node.path} is in the stack ${stack}, and the stacks would depend on each other; ` +
      "make the role in the function's stack, or give the function `Role.fromRoleArn(this, …, role.roleArn)`",
  ]
}

/** The path of the construct's stack, if this app makes the construct and in another stack than the schedule. */
function otherStack(scope: IConstruct, construct: IConstruct): string | undefined {
  const stack = Stack.of(construct)
  const isImported = !CfnResource.isCfnResource(construct.node.defaultChild)
  return isImported || stack === Stack.of(scope) ? undefined : stack.node.path
}

function retryProblems(handler: IFunction): string[] {
  const problem =
    `the function ${handler.node.path} already has an asynchronous invoke configuration, set by another construct; ` +
    'use one function per schedule, without `onFailure`, `onSuccess`, `maxEventAge` and `retryAttempts`'
  return hasRetries(handler) ? [problem] : []
}

/** Lambda keeps one configuration for each function and qualifier, in all stacks together. */
function hasRetries(handler: IFunction): boolean {
  if (handler.node.tryFindChild('EventInvokeConfig') !== undefined) return true
  const key = retriesKey(handler, functionOf(handler).functionName, qualifierOf(handler))
  return handler.node.root.node.findAll().some((other) => {
    if (!(other instanceof CfnEventInvokeConfig)) return false
    // The configuration of an alias has a token as qualifier; the alias itself has the name.
    const owner = other.node.scope?.node.scope
    const qualifier = owner !== undefined && isFunction(owner) ? qualifierOf(owner) : other.qualifier
    return retriesKey(other, other.functionName, qualifier) === key
  })
}

function retriesKey(scope: IConstruct, functionName: string, qualifier: string): string {
  return `${resourceKey(scope, envOfStack(scope), functionName)} ${JSON.stringify(Stack.of(scope).resolve(qualifier))}`
}
