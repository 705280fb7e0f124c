import { join } from 'node:path'
import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'

const projectRoot = join(import.meta.dirname, '../..')

export interface HandlerFunctionProps {
  /** The module that exports `handler`, relative to the project's root. */
  readonly entry: string
  readonly description: string
  readonly timeout: Duration
  /** In MiB. */
  readonly memorySize: number
  readonly environment: Record<string, string>
}

/**
 * How each handler of this project runs: pinned runtime, one bundled module, logs as JSON in a group of its own, and a
 * role that may write to that group and nothing else until somebody grants more.
 */
export class HandlerFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)

    super(scope, id, {
      description: props.description,
      timeout: props.timeout,
      memorySize: props.memorySize,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      entry: join(projectRoot, props.entry),
      projectRoot,
      depsLockFilePath: join(projectRoot, 'package-lock.json'),
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
        // The runtime brings an SDK too, but one that changes under a deployed function; ours is the one that was tested.
        bundleAwsSDK: true,
      },
    })
  }
}
