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

function shown(given: unknown): string {
  return typeof given === 'object' && given !== null ? 'an object' : JSON.stringify(given).slice(0, 60)
}
