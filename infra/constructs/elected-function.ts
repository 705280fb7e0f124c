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
import { difference, placeOfStack, regionWarnings, written } from './place.ts'
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

/** Whether the function is made in this app, so that its environment can be set. */
export function isOwn(handler: IFunction): handler is LambdaFunction {
  return 'addEnvironment' in handler
}

/** Why this function cannot be elected by a schedule in `scope`; empty if it can. */
export function functionProblems(scope: IConstruct, handler: IFunction): string[] {
  const ofStack = stackProblems(scope, handler)
  return [
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
  // That of `Function.currentVersion`, which publishes anew whenever the function changes, has this id.
  return (versionOf(handler)?.node.id ?? 'CurrentVersion') === 'CurrentVersion'
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

/** The function needs the queue of failures, and the schedules need the function: two stacks would need each other. */
function stackProblems(scope: IConstruct, handler: IFunction): string[] {
  const elsewhere = stackElsewhere(scope, handler)
  if (elsewhere === undefined) return []
  return [
    `the function ${handler.node.path} is made in the stack ${elsewhere}, which would need this one, and this one it; make the schedule in the function's stack: \`new ElectedSchedule(${elsewhere}, …)\``,
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

/** The other stack in which this app makes it; of what is imported there is no resource. */
function stackElsewhere(scope: IConstruct, construct: IConstruct): string | undefined {
  const stack = Stack.of(construct)
  const isMade = CfnResource.isCfnResource(construct.node.defaultChild)
  return isMade && stack !== Stack.of(scope) ? stack.node.path : undefined
}

function retryProblems(handler: IFunction): string[] {
  if (!hasRetries(handler)) return []
  return [
    `the function ${handler.node.path} already has an asynchronous invoke configuration, which this construct sets; give each elected schedule a function of its own, without \`onFailure\`, \`onSuccess\`, \`maxEventAge\` and \`retryAttempts\``,
  ]
}

/** Lambda has one configuration for each function and qualifier, whichever construct makes it. */
function hasRetries(handler: IFunction): boolean {
  if (handler.node.tryFindChild('EventInvokeConfig') !== undefined) return true
  if (versionOf(handler) !== undefined) return false
  const stack = Stack.of(handler)
  const same = (a: unknown, b: unknown) => JSON.stringify(stack.resolve(a)) === JSON.stringify(stack.resolve(b))
  return stack.node
    .findAll()
    .some(
      (other) =>
        other instanceof CfnEventInvokeConfig &&
        other.qualifier === '$LATEST' &&
        same(other.functionName, handler.functionName),
    )
}
