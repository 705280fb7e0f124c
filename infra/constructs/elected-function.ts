/** The function that a schedule elects: what it must be, and how it gets to know its lease. */
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
import { difference, identity, placeOfStack, regionWarnings, written } from './place.ts'
import type { Warning } from './warning.ts'

/** The environment variables that tell a function its lease. */
export interface LeaseVariables {
  readonly LEASE_TABLE: string
  readonly LEASE_NAME: string
  readonly LEASE_MS: string
}

/** The function that an alias or a version is of; of any other function, itself. */
export function functionOf(handler: IFunction): IFunction {
  return versionOf(handler)?.lambda ?? handler
}

/** The function itself for its `latestVersion`, which is what it runs without a qualifier. */
export function unqualified(handler: IFunction): IFunction {
  return isVersion(handler) && handler.version === LATEST ? handler.lambda : handler
}

const LATEST = '$LATEST'

/** Whether the function is made in this app, so that its environment can be set. */
export function isOwn(handler: IFunction): handler is LambdaFunction {
  return 'addEnvironment' in handler
}

/** Why this function cannot be elected by a schedule in `scope`; empty if it can. */
export function functionProblems(scope: IConstruct, handler: IFunction): string[] {
  const ofStack = stackProblems(scope, handler)
  return [
    ...qualifierProblems(handler),
    ...placeProblems(scope, handler),
    ...(ofStack.length > 0 ? ofStack : roleProblems(scope, handler)),
    ...retryProblems(handler),
  ]
}

export function functionWarnings(scope: IConstruct, handler: IFunction): Warning[] {
  return regionWarnings(`the function ${handler.node.path}`, handler.env, scope)
}

/** Environment variables of the function that say otherwise than the schedule does; one with the same value is none. */
export function environmentProblems(handler: IFunction, variables: LeaseVariables): string[] {
  const { defaultChild } = handler.node
  if (!(defaultChild instanceof CfnFunction)) return []
  const resolved = (value: unknown): unknown => Stack.of(handler).resolve(value)
  const { variables: given }: Record<string, unknown> = { ...Object(resolved(defaultChild.environment)) }
  const known = new Map(Object.entries(Object(given)))
  return Object.entries(variables).flatMap(([name, value]) => {
    if (!known.has(name) || JSON.stringify(known.get(name)) === JSON.stringify(resolved(value))) return []
    return [
      `the function ${handler.node.path} has the environment variable ${name}=${JSON.stringify(known.get(name))}, but this schedule sets ${name}=${JSON.stringify(resolved(value))}; leave it to the schedule, and give each lease a function of its own`,
    ]
  })
}

/** Whether it runs with the environment that its function is given here: a version keeps what it was published with. */
export function isCurrent(handler: IFunction): boolean {
  const version = versionOf(handler)
  // That of `Function.currentVersion`, which publishes anew whenever the function changes, has this id.
  return version === undefined || version.version === LATEST || version.node.id === 'CurrentVersion'
}

/** The version that an alias or a version invokes. */
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

/** Both the schedules and the settings of the function's retries are made in this stack. */
function placeProblems(scope: IConstruct, handler: IFunction): string[] {
  const place = placeOfStack(scope)
  const other = difference(handler.env, place)
  if (other === undefined) return []
  return [
    `the function ${handler.node.path} is in ${written(handler.env)}, but the schedule in ${written(place)}; make the schedule in a stack of the function's ${other}`,
  ]
}

/** Of an import by such an ARN the CDK does not know the qualifier, and would configure the retries of `$LATEST`. */
function qualifierProblems(handler: IFunction): string[] {
  const { functionArn, node } = functionOf(handler)
  const [, , , , , , , qualifier] = functionArn.split(':')
  if (qualifier === undefined) return []
  return [
    `the function ${node.path} is imported by an ARN that ends in the qualifier ":${qualifier}", whose retries could not be set; import it without, and of that function the alias, \`Alias.fromAliasAttributes(…, { aliasName, aliasVersion })\`, or the version, \`Version.fromVersionAttributes(…, { lambda, version })\``,
  ]
}

/** The function needs the queue of failures, and the schedules need the function: two stacks would need each other. */
function stackProblems(scope: IConstruct, handler: IFunction): string[] {
  const itself = functionOf(handler)
  const [ofItself, ofHandler] = [stackElsewhere(scope, itself), stackElsewhere(scope, handler)]
  if (ofItself === undefined && ofHandler !== undefined && isMade(itself)) {
    return [
      `${handler.node.path} is made in the stack ${ofHandler}, but its function ${itself.node.path} and the schedule in another; make it in the function's stack`,
    ]
  }
  const elsewhere = ofItself ?? ofHandler
  if (elsewhere === undefined) return []
  const too = ofItself === undefined || ofItself === ofHandler ? '' : `, and ${handler.node.path} there too`
  const path = ofItself === undefined ? handler.node.path : itself.node.path
  return [
    `the function ${path} is made in the stack ${elsewhere}, which would need this one, and this one it; make the schedule in the function's stack: \`new ElectedSchedule(${elsewhere}, …)\`${too}`,
  ]
}

function roleProblems(scope: IConstruct, handler: IFunction): string[] {
  const { role } = handler
  if (role === undefined) {
    return [
      `the function ${handler.node.path} is imported without its role, so that it cannot be permitted to lead; import it with \`Function.fromFunctionAttributes(…, { functionArn, role, sameEnvironment: true })\``,
    ]
  }
  // One that takes no policies (`withoutPolicyUpdates`) needs nothing of this stack.
  const elsewhere = role instanceof Role ? stackElsewhere(scope, role) : undefined
  if (elsewhere === undefined) return []
  return [
    `the role ${role.node.path} of the function is made in the stack ${elsewhere}, which would need this one, and this one it; make the role in the function's stack, or give the function \`Role.fromRoleArn(this, …, role.roleArn)\``,
  ]
}

/** The other stack in which this app makes it. */
function stackElsewhere(scope: IConstruct, construct: IConstruct): string | undefined {
  const stack = Stack.of(construct)
  return isMade(construct) && stack !== Stack.of(scope) ? stack.node.path : undefined
}

/** Of what is imported there is no resource. */
function isMade(construct: IConstruct): boolean {
  return CfnResource.isCfnResource(construct.node.defaultChild)
}

function retryProblems(handler: IFunction): string[] {
  if (!hasRetries(handler)) return []
  return [
    `the function ${handler.node.path} already has an asynchronous invoke configuration, which this construct sets; give each elected schedule a function of its own, without \`onFailure\`, \`onSuccess\`, \`maxEventAge\` and \`retryAttempts\``,
  ]
}

/** Lambda has one configuration for each function and qualifier, whichever construct makes it, in whichever stack. */
function hasRetries(handler: IFunction): boolean {
  if (handler.node.tryFindChild('EventInvokeConfig') !== undefined) return true
  const wanted = retriesKey(handler, functionOf(handler).functionName, qualifierOf(handler))
  return handler.node.root.node.findAll().some((other) => {
    if (!(other instanceof CfnEventInvokeConfig)) return false
    // An alias that configures itself names itself by a token.
    const owner = other.node.scope?.node.scope
    const qualifier = owner !== undefined && isFunction(owner) ? qualifierOf(owner) : other.qualifier
    return retriesKey(other, other.functionName, qualifier) === wanted
  })
}

function retriesKey(scope: IConstruct, functionName: string, qualifier: string): string {
  return `${identity(scope, placeOfStack(scope), functionName)} ${JSON.stringify(Stack.of(scope).resolve(qualifier))}`
}

function qualifierOf(handler: IFunction): string {
  return isAlias(handler) ? handler.aliasName : (versionOf(handler)?.version ?? LATEST)
}
