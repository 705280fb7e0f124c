/** The emulator as the tests see it: its address, SDK clients, and what `launch-ministack.py` adds to AWS. */
// @ts-nocheck

import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SQSClient } from '@aws-sdk/client-sqs'
import { describe, inject } from 'vitest'

/** Passed from the global setup to the tests. */
export interface Emulator {
  readonly url: string
  /** For files of this run; removed at the end of the run. */
  readonly directory: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    emulator: Emulator | undefined
  }
}

/** A `describe` that is skipped without the emulator. */
export function describeDeployment(name: string, tests: (emulator: Emulator) => void): void {
  const emulator = inject('emulator')
  describe.skipIf(emulator === undefined)(name, () => {
    if (emulator !== undefined) tests(emulator)
  })
}

export const REGION = 'eu-central-1'
/** MiniStack accepts a key of twelve digits for the root user of that account. */
export const ACCOUNT = '123456789012'

/** May do everything. */
const OWNER = { accessKeyId: ACCOUNT, secretAccessKey: 'none' }

export function clientsOf({ url }: Pick<Emulator, 'url'>) {
  const settings = { endpoint: url, region: REGION, credentials: OWNER }
  return {
    cloudFormation: new CloudFormationClient(settings),
    dynamodb: new DynamoDBClient(settings),
    eventBridge: new EventBridgeClient(settings),
    lambda: new LambdaClient(settings),
    logs: new CloudWatchLogsClient(settings),
    scheduler: new SchedulerClient(settings),
    sqs: new SQSClient(settings),
  }
}

export type Clients = ReturnType<typeof clientsOf>

/** Environment variables for the programs of the run, without the caller's own AWS settings. */
export function awsEnvironment(url: string, directory: string): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(AWS|CDK|VITEST|NODE_V8_COVERAGE|.*_proxy$)/i.test(name) ? [] : [[name, value] as const],
  )
  return {
    ...Object.fromEntries(kept),
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: OWNER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OWNER.secretAccessKey,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    TMPDIR: directory,
  }
}

/**
 * Moves the clock of the schedules, and invokes what falls due.
 *
 * @returns the last hourly tick
 */
export async function advance(emulator: Emulator, minutes = 60): Promise<string> {
  const { now }: { now: number } = Object(await ask(emulator, `clock?minutes=${minutes}`, 'POST'))
  const hourS = 3600
  return new Date(Math.floor(now / hourS) * hourS * 1000).toISOString()
}

/** A process of a function that is handling an event. */
export interface Invocation {
  readonly function: string
  readonly pid: number
}

export async function invocations(emulator: Emulator): Promise<readonly Invocation[]> {
  const processes: readonly Invocation[] = Object(await ask(emulator, 'invocations'))
  return processes
}

/** Sends a request to what `launch-ministack.py` adds. @throws Error if it fails */
async function ask({ url }: Emulator, path: string, method = 'GET'): Promise<unknown> {
  const answer = await fetch(`${url}/_tenure/${path}`, { method })
  if (!answer.ok) throw new Error(`The launcher answered ${path} with status ${answer.status}`)
  return answer.json()
}
