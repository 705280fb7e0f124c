/** What a function finds in `process.env`. */

import type { LambdaFunction } from '../stack/template.ts'
import { sessionTokenOf } from './caller.ts'

/** How the functions of a run reach it. */
export interface Access {
  readonly dynamodbEndpoint: string
  readonly lambdaEndpoint: string
  readonly region: string
  /** The secret of the run. */
  readonly accessKey: string
}

/**
 * The template's variables and those that Lambda reserves, and nothing of this process's own. `serial` is the number of
 * the execution environment, from 1.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function environmentVariables(
  lambda: LambdaFunction,
  serial: number,
  { region, accessKey, dynamodbEndpoint, lambdaEndpoint }: Access,
): Record<string, string> {
  return {
    ...lambda.environment,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: 'UTC',
    LAMBDA_TASK_ROOT: lambda.directory,
    _HANDLER: lambda.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${lambda.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${String(serial).padStart(4, '0')}`,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: sessionTokenOf(serial),
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    AWS_ENDPOINT_URL_LAMBDA: lambdaEndpoint,
  }
}
