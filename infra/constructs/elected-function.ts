/** The function that a schedule invokes, or its alias or version, and the environment variables that name its lease. */
import { Stack } from 'aws-cdk-lib'
import {
  CfnFunction,
  type IAlias,
  type IFunction,
  type IVersion,
  type Function as LambdaFunction,
} from 'aws-cdk-lib/aws-lambda'

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
