/** The emulator as the tests see it: its address, SDK clients, and what `launch-ministack.py` adds to AWS. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SQSClient } from '@aws-sdk/client-sqs'

/** Passed from the global setup to the tests. */
export interface Emulator {
  readonly url: string
  /** For files of this run; removed at the end of the run. */
  readonly directory: string
  /** The directory of the virtual environment's programs. */
  readonly bin: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    emulator: Emulator | undefined
  }
}

export const REGION = 'eu-central-1'
/** MiniStack accepts a key of twelve digits for the root user of that account. */
export const ACCOUNT = '123456789012'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const OWNER: Credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'none' }

/** @param credentials by default those of the account's owner, who may do everything */
export function clientsOf({ url }: Pick<Emulator, 'url'>, credentials = OWNER) {
  const settings = { endpoint: url, region: REGION, credentials }
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
export async function advance({ url }: Emulator, minutes = 60): Promise<string> {
  const answer = await fetch(`${url}/_tenure/clock?minutes=${minutes}`, { method: 'POST' })
  const nowMs = 1000 * number(await answer.json(), 'now')
  const hourMs = 3_600_000
  return new Date(Math.floor(nowMs / hourMs) * hourMs).toISOString()
}

/** A process of a function that is handling an event. */
export interface Invocation {
  readonly function: string
  readonly pid: number
}

export async function invocations({ url }: Emulator): Promise<readonly Invocation[]> {
  const answer: unknown = await (await fetch(`${url}/_tenure/invocations`)).json()
  if (!Array.isArray(answer)) throw new Error(`The launcher answered ${JSON.stringify(answer)}, not a list`)
  return answer.map((each: unknown) => ({ function: text(each, 'function'), pid: number(each, 'pid') }))
}

/** The credentials of a function's role. */
export async function credentialsOf({ url }: Emulator, functionName: string): Promise<Credentials> {
  const answer: unknown = await (await fetch(`${url}/_tenure/credentials?function=${functionName}`)).json()
  return {
    accessKeyId: text(answer, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: text(answer, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: text(answer, 'AWS_SESSION_TOKEN'),
  }
}

function number(answer: unknown, name: string): number {
  const value = Number(fieldOf(answer, name))
  if (Number.isFinite(value)) return value
  throw new Error(`The launcher answered ${JSON.stringify(answer)}, without the number ${name}`)
}

const text = (answer: unknown, name: string) => String(fieldOf(answer, name))

function fieldOf(answer: unknown, name: string): unknown {
  return typeof answer === 'object' && answer !== null ? new Map(Object.entries(answer)).get(name) : undefined
}
