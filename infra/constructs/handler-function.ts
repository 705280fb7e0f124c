import { extname, join } from 'node:path'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { duration, isObject, type Kinds, number, refuseWrongProps, required, text } from './prop-problems.ts'

export interface HandlerFunctionProps {
  /** The module that exports `handler`: a path from the directory in which the app runs, or an absolute one. */
  readonly entry: string
  /** @default none */
  readonly description?: string | undefined
  /** @default Duration.seconds(30) */
  readonly timeout?: Duration | undefined
  /** In MiB, which also decides its share of a processor. @default 512 */
  readonly memorySize?: number | undefined
  /** Its `NODE_OPTIONS` get `--enable-source-maps` besides. @default none */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** What a user may choose of a function; the rest is fixed below. */
export const handlerOptions: Kinds = {
  description: text,
  timeout: duration,
  memorySize: number,
  environment: {
    expected: 'an object of texts',
    accepts: (value) => isObject(value) && Object.values(value).every((of) => of === undefined || text.accepts(of)),
  },
}

/** Long enough for most tasks; Lambda's own default is 3 s. */
export const defaultTimeout = Duration.seconds(30)

/**
 * How a handler runs: pinned runtime, one bundled module, logs as JSON in a group of its own, and a role that may write
 * to that group and nothing else until somebody grants more.
 */
export class HandlerFunction extends NodejsFunction {
  /** @throws ConfigurationError for a prop that there is not */
  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    refuseWrongProps(scope, props, { entry: required(text), ...handlerOptions })
    const { entry, description, timeout = defaultTimeout, memorySize = 512, environment } = props
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)

    super(scope, id, {
      ...(description === undefined ? {} : { description }),
      timeout,
      memorySize,
      environment: { ...environment, NODE_OPTIONS: nodeOptions(environment?.['NODE_OPTIONS']) },
      entry,
      // Not NODEJS_LATEST: which runtime it means depends on the Region, and changes with the CDK's version.
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      bundling: {
        format: OutputFormat.ESM,
        mainFields: ['module', 'main'],
        target: 'node24',
        minify: true,
        sourceMap: true,
        sourcesContent: false,
        // Packages that are CommonJS still ask for `require`, which a module does not have of itself.
        banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        // The runtime brings an SDK too, but one that changes under a deployed function; ours is the one that was tested.
        bundleAwsSDK: true,
      },
    })
  }
}

/** With source maps, unless the function's own options speak of them already. */
function nodeOptions(own = ''): string {
  // A quoted word is the value of an option; Node takes an underscore for a dash.
  const words = own
    .replaceAll(/"(?:\\.|[^"\\])*"/g, '_')
    .replaceAll('_', '-')
    .split(/\s+/)
  if (words.some((word) => /^--(no-)?enable-source-maps(=|$)/.test(word))) return own
  return [own.trim(), '--enable-source-maps'].filter((options) => options !== '').join(' ')
}

/** A handler of this package, beside these constructs: TypeScript in a checkout, JavaScript where it was built. */
export function ownHandler(module: string): string {
  return join(import.meta.dirname, '../../functions', `${module}${extname(import.meta.filename)}`)
}
