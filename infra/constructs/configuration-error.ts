import type { IConstruct } from 'constructs'

/**
 * What somebody asked of a construct cannot work. Thrown while the app is synthesized, so nothing was deployed. The
 * message starts with the construct's path and names every problem at once: what was given, what is allowed.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly constructPath: string

  constructor(scope: IConstruct, problems: readonly string[]) {
    const path = scope.node.path === '' ? 'the app' : scope.node.path
    super(`${path}: ${problems.join('; ')}`)
    this.constructPath = path
  }
}
