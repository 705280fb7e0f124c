/**
 * Reads what a synthesized stack declares and a local run needs: tables, functions, and the schedules that fire them.
 * The rest of a template (roles, alarms, queues) has no effect on this machine.
 */
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import {
  arnOf,
  isIntrinsic,
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

/** The directory of an asset, by its S3 key in a deployment. */
type AssetDirectory = (objectKey: string) => string | undefined

export function readStack(stack: Stack, assetDirectory: AssetDirectory): Declared {
  const readersOf = (type: string) =>
    Object.keys(stack.resources)
      .filter((id) => stack.resources[id]?.type === type)
      .map((id) => new ResourceReader(stack, id))
  const invokeConfigs = readersOf('AWS::Lambda::EventInvokeConfig')
  return {
    tables: readersOf('AWS::DynamoDB::GlobalTable').map(tableOf),
    functions: readersOf('AWS::Lambda::Function').map((lambda) => functionOf(lambda, invokeConfigs, assetDirectory)),
    schedules: readersOf('AWS::Scheduler::Schedule').map(scheduleOf),
  }
}

function tableOf(table: ResourceReader): Table {
  return {
    name: table.name,
    attributes: table.list('AttributeDefinitions'),
    keys: table.list('KeySchema'),
    indexes: table.list('GlobalSecondaryIndexes'),
  }
}

/**
 * Lambda's defaults. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const DEFAULTS = { timeoutSeconds: 3, memoryMb: 128, retries: 2, maxEventAgeSeconds: 21_600 } as const

function functionOf(
  lambda: ResourceReader,
  invokeConfigs: readonly ResourceReader[],
  assetDirectory: AssetDirectory,
): LambdaFunction {
  const objectKey = lambda.text('Code', 'S3Key')
  const directory = objectKey === undefined ? undefined : assetDirectory(objectKey)
  if (directory === undefined) {
    throw new TemplateError(`${lambda.id}: its code is not a directory among the stack's assets`)
  }
  const asynchronous = invokeConfigs.find((config) => config.text('FunctionName') === lambda.name)
  const environment = Object.entries(lambda.object('Environment', 'Variables'))
  return {
    name: lambda.name,
    arn: lambda.arn,
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
    arn: schedule.arn,
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

/** Typed reads of properties. Each is resolved when it is read, so that unread ones may use any intrinsic function. */
class ResourceReader {
  readonly id: string
  readonly #stack: Stack

  constructor(stack: Stack, id: string) {
    this.#stack = stack
    this.id = id
  }

  get name(): string {
    return physicalName(this.#stack, this.id)
  }

  get arn(): string {
    return arnOf(this.#stack, this.id, this.id)
  }

  text(...path: string[]): string | undefined {
    const value = this.#at(path)
    return value === undefined || typeof value === 'string' ? value : this.#wrong(path, 'a text')
  }

  needText(...path: string[]): string {
    return this.text(...path) ?? this.#wrong(path, 'given')
  }

  number(...path: string[]): number | undefined {
    const value = this.#at(path)
    return value === undefined || typeof value === 'number' ? value : this.#wrong(path, 'a number')
  }

  list(...path: string[]): readonly JsonObject[] {
    const value = this.#at(path) ?? []
    return isList(value) ? value.filter(isObject) : this.#wrong(path, 'a list')
  }

  object(...path: string[]): JsonObject {
    const value = resolve(this.#stack, this.id, this.#at(path) ?? {})
    return isObject(value) ? value : this.#wrong(path, 'an object')
  }

  #at(path: readonly string[]): Json | undefined {
    let value: Json | undefined = this.#stack.resources[this.id]?.properties
    for (const key of path) {
      const inner: Json | undefined = isObject(value) ? value[key] : undefined
      const isPlain: boolean = isObject(inner) && !Object.keys(inner).some(isIntrinsic)
      value = inner === undefined || isPlain ? inner : resolve(this.#stack, this.id, inner)
    }
    return value
  }

  #wrong(path: readonly string[], expected: string): never {
    throw new TemplateError(`${this.id}: ${path.join('.')} should be ${expected}`)
  }
}
