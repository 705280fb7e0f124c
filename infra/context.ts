import type { IConstruct } from 'constructs'
import { ConfigurationError } from './constructs/index.ts'

/**
 * A whole number from the CDK context, where `cdk.json` gives numbers and `cdk synth -c key=4` gives text; undefined
 * where nobody set it.
 *
 * @throws ConfigurationError where the value is anything else
 */
export function numberFromContext(scope: IConstruct, key: string): number | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined) return undefined
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${shown(given)}; give a whole number`])
}

/**
 * A text from the CDK context; undefined where nobody set it.
 *
 * @throws ConfigurationError where the value is anything else
 */
export function textFromContext(scope: IConstruct, key: string): string | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined || typeof given === 'string') return given
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${shown(given)}; give a text`])
}

/**
 * Names from the CDK context, where `cdk.json` gives a list and `cdk synth -c key=A,B` gives text; none where nobody set it.
 *
 * @throws ConfigurationError where the value is anything else
 */
export function namesFromContext(scope: IConstruct, key: string): string[] {
  const given: unknown = scope.node.tryGetContext(key) ?? []
  const names: unknown[] = typeof given === 'string' ? given.split(',').map((name) => name.trim()) : [given].flat()
  if (names.every((name) => typeof name === 'string')) return names
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${shown(given)}; give names, as in A,B`])
}

/**
 * Yes or no from the CDK context, where `cdk.json` gives true and `cdk synth -c key=true` gives text; undefined where
 * nobody set it.
 *
 * @throws ConfigurationError where the value is anything else
 */
export function flagFromContext(scope: IConstruct, key: string): boolean | undefined {
  const given: unknown = scope.node.tryGetContext(key)
  if (given === undefined) return undefined
  if (given === true || given === 'true') return true
  if (given === false || given === 'false') return false
  throw new ConfigurationError(scope, [`the context value \`${key}\` is ${shown(given)}; give true or false`])
}

function shown(given: unknown): string {
  return typeof given === 'object' && given !== null ? 'an object' : JSON.stringify(given).slice(0, 60)
}
