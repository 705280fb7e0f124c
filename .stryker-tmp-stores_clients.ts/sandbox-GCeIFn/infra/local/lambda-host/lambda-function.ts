/** A function as its template declares it, and the environment variables that it gets. */
// @ts-nocheck

import { sessionTokenOf } from './credentials.ts'

export interface LambdaFunction {
  readonly name: string
  readonly arn: string
  readonly directory: string
  readonly handler: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly memoryMb: number
  readonly retries: number
  readonly maxEventAgeMs: number
}

/**
 * The template's variables and those that Lambda reserves; none of this process's own.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 *
 * @param serial number of the execution environment, from 1
 */
export function environmentVariables(
  lambda: LambdaFunction,
  serial: number,
  { region, accessKey, servicesUrl }: Readonly<Record<'region' | 'accessKey' | 'servicesUrl', string>>,
) {
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
    AWS_ENDPOINT_URL_DYNAMODB: servicesUrl,
    AWS_ENDPOINT_URL_LAMBDA: servicesUrl,
  }
}
