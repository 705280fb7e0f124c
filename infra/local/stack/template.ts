/**
 * What a synthesized stack declares, as far as it runs here: tables, functions, and the schedules that fire them. The
 * rest of a template (roles, alarms, queues) has no effect on this machine.
 */
import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  physicalName,
  resolve,
  type Stack,
  TemplateError,
} from './intrinsics.ts'

export interface Table {
  readonly name: string
  readonly attributes: readonly JsonObject[]
  readonly keys: readonly JsonObject[]
  readonly indexes: readonly JsonObject[]
  /** The attribute that holds epoch *seconds* after which DynamoDB deletes an item. */
  readonly ttlAttribute?: string | undefined
  readonly streamView?: string | undefined
}

export interface LambdaFunction {
  readonly name: string
  readonly arn: string
  readonly directory: string
  readonly handler: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly memoryMb: number
  /** Of asynchronous invocations: how often a failed event is tried again, and for how long at most. */
  readonly retries: number
  readonly maxEventAgeMs: number
}

export interface Schedule {
  readonly name: string
  readonly arn: string
  readonly periodMs: number
  readonly targetArn: string
  readonly input: string
}

export interface Declared {
  readonly tables: readonly Table[]
  readonly functions: readonly LambdaFunction[]
  readonly schedules: readonly Schedule[]
}

/** The directory of an asset, by the S3 key under which a deployment would find it. */
export type AssetDirectory = (objectKey: string) => string | undefined

/** @throws TemplateError that names the resource which cannot run here. */
export function readStack(stack: Stack, assetDirectory: AssetDirectory): Declared {
  const read = readerOf(stack)
  return {
    tables: read.idsOf('AWS::DynamoDB::GlobalTable').map((id) => tableOf(read.resource(id))),
    functions: read.idsOf('AWS::Lambda::Function').map((id) => functionOf(read, id, assetDirectory)),
    schedules: read.idsOf('AWS::Scheduler::Schedule').map((id) => scheduleOf(read.resource(id))),
  }
}

function tableOf(table: ResourceReader): Table {
  return {
    name: table.name,
    attributes: table.list('AttributeDefinitions'),
    keys: table.list('KeySchema'),
    indexes: table.list('GlobalSecondaryIndexes'),
    ttlAttribute: table.text('TimeToLiveSpecification', 'AttributeName'),
    streamView: table.text('StreamSpecification', 'StreamViewType'),
  }
}

/** Lambda's defaults. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, …/invocation-async-error-handling.html */
const DEFAULTS = { timeoutSeconds: 3, memoryMb: 128, retries: 2, maxEventAgeSeconds: 21_600 } as const

function functionOf(read: StackReader, id: string, assetDirectory: AssetDirectory): LambdaFunction {
  const lambda = read.resource(id)
  const objectKey = lambda.text('Code', 'S3Key')
  const directory = objectKey === undefined ? undefined : assetDirectory(objectKey)
  if (directory === undefined) throw new TemplateError(`${id}: its code is not a directory among the stack's assets`)
  const asynchronous = read
    .idsOf('AWS::Lambda::EventInvokeConfig')
    .map(read.resource)
    .find((config) => config.text('FunctionName') === lambda.name)
  const environment = Object.entries(lambda.object('Environment', 'Variables'))
  return {
    name: lambda.name,
    arn: lambda.arn(),
    directory,
    handler: lambda.needText('Handler'),
    environment: Object.fromEntries(environment.map(([name, value]) => [name, String(value)])),
    timeoutMs: 1000 * (lambda.number('Timeout') ?? DEFAULTS.timeoutSeconds),
    memoryMb: lambda.number('MemorySize') ?? DEFAULTS.memoryMb,
    retries: asynchronous?.number('MaximumRetryAttempts') ?? DEFAULTS.retries,
    maxEventAgeMs: 1000 * (asynchronous?.number('MaximumEventAgeInSeconds') ?? DEFAULTS.maxEventAgeSeconds),
  }
}

function scheduleOf(schedule: ResourceReader): Schedule {
  return {
    name: schedule.name,
    arn: schedule.arn(),
    periodMs: periodMsOf(schedule.id, schedule.needText('ScheduleExpression')),
    targetArn: schedule.needText('Target', 'Arn'),
    input: schedule.text('Target', 'Input') ?? '{}',
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** Only `rate(N unit)`: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
function periodMsOf(id: string, expression: string): number {
  const [, count, unit = ''] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? []
  const unitMs = UNIT_MS[unit]
  if (unitMs === undefined) throw new TemplateError(`${id}: only rate(…) schedules run here, not ${expression}`)
  return Number(count) * unitMs
}

type StackReader = ReturnType<typeof readerOf>
type ResourceReader = ReturnType<StackReader['resource']>

/** Typed reads of properties, resolved only when asked for, so that what is not needed may use any intrinsic. */
function readerOf(stack: Stack) {
  const idsOf = (type: string) => Object.keys(stack.resources).filter((id) => stack.resources[id]?.type === type)
  const resource = (id: string) => {
    const at = (path: readonly string[]): Json | undefined => {
      let value: Json | undefined = stack.resources[id]?.properties
      for (const key of path) {
        const whole: Json | undefined = isObject(value) ? value[key] : undefined
        value =
          whole === undefined ? undefined : isObject(whole) && !isIntrinsic(whole) ? whole : resolve(stack, id, whole)
      }
      return value
    }
    const wrong = (path: readonly string[], expected: string): never => {
      throw new TemplateError(`${id}: ${path.join('.')} should be ${expected}`)
    }
    const text = (...path: string[]): string | undefined => {
      const value = at(path)
      return value === undefined || typeof value === 'string' ? value : wrong(path, 'a text')
    }
    const number = (...path: string[]): number | undefined => {
      const value = at(path)
      return value === undefined || typeof value === 'number' ? value : wrong(path, 'a number')
    }
    return {
      id,
      name: physicalName(stack, id),
      arn: () => String(resolve(stack, id, { 'Fn::GetAtt': [id, 'Arn'] })),
      text,
      number,
      needText: (...path: string[]): string => text(...path) ?? wrong(path, 'given'),
      list: (...path: string[]): readonly JsonObject[] => {
        const value = at(path) ?? []
        return isList(value) ? value.filter(isObject) : wrong(path, 'a list')
      },
      object: (...path: string[]): JsonObject => {
        const value = resolve(stack, id, at(path) ?? {})
        return isObject(value) ? value : wrong(path, 'an object')
      },
    }
  }
  return { idsOf, resource }
}

const isIntrinsic = (value: JsonObject) => Object.keys(value).some((key) => key === 'Ref' || key.startsWith('Fn::'))
