/** Reads context values: `cdk.json` gives JSON values, `cdk synth -c key=value` gives texts. */
import type { IConstruct } from 'constructs'
import { show } from '../../functions/election/show.ts'
import { ConfigurationError } from '../constructs/index.ts'

/** @throws ConfigurationError for anything but a whole number */
export function numberFromContext(scope: IConstruct, key: string): number | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined) return undefined
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  return refuse(scope, key, given, 'a whole number')
}

/** @throws ConfigurationError for anything but a text */
export function textFromContext(scope: IConstruct, key: string): string | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  return given === undefined || typeof given === 'string' ? given : refuse(scope, key, given, 'a text')
}

/** Reads a list, or a text such as `A,B`. @throws ConfigurationError for anything else */
export function namesFromContext(scope: IConstruct, key: string): string[] {
  const given: unknown = scope.node.tryGetContext(key) ?? []
  const names: unknown[] = typeof given === 'string' ? given.split(',').map((name) => name.trim()) : [given].flat()
  return names.every((name) => typeof name === 'string') ? names : refuse(scope, key, given, 'names, as in A,B')
}

/** @throws ConfigurationError for anything but true and false */
export function flagFromContext(scope: IConstruct, key: string): boolean | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined) return undefined
  if (given === true || given === 'true') return true
  return given === false || given === 'false' ? false : refuse(scope, key, given, 'true or false')
}

function refuse(scope: IConstruct, key: string, given: unknown, expected: string): never {
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${show(given)}; give ${expected}`])
}
