/**
 * Reads what the stacks of a synthesized app declare and a local run needs: tables, functions, and the schedules that
 * fire them. The rest of a template (roles, alarms, queues) has no effect on this machine.
 */
// @ts-nocheck

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import { parseSchedule } from '../../../functions/election/schedule.ts'
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import { arnOf, physicalName, resolve, type Stack } from './intrinsics.ts'

/** The app declares something that cannot run on this machine. The message names the resource or the file. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

export type Table = CreateTableCommandInput & { readonly TableName: string }

export type Schedule = ReturnType<typeof readStack>['schedules'][number]

const MANIFEST = v.object({
  artifacts: v.record(
    v.string(),
    v.object({ type: v.string(), properties: v.optional(v.object({ templateFile: v.optional(v.string(), '') })) }),
  ),
})
const RESOURCE = v.object({ Type: v.string(), Properties: v.optional(v.record(v.string(), v.unknown()), {}) })
const TEMPLATE = v.object({ Resources: v.record(v.string(), RESOURCE) })
const DESTINATIONS = v.record(v.string(), v.object({ objectKey: v.string() }))
const SOURCE = v.object({ path: v.optional(v.string(), ''), packaging: v.optional(v.string()) })
const ASSETS = v.object({ files: v.record(v.string(), v.object({ source: SOURCE, destinations: DESTINATIONS })) })

const KEYS = v.array(v.object({ AttributeName: v.string(), KeyType: v.picklist(['HASH', 'RANGE']) }))
const INDEX = v.object({
  IndexName: v.string(),
  KeySchema: KEYS,
  Projection: v.object({ ProjectionType: v.picklist(['ALL', 'KEYS_ONLY']) }),
})
/** A run uses no streams and no TTL. */
const TABLE = v.object({
  AttributeDefinitions: v.array(v.object({ AttributeName: v.string(), AttributeType: v.picklist(['S', 'N', 'B']) })),
  KeySchema: KEYS,
  GlobalSecondaryIndexes: v.optional(v.array(INDEX)),
})

const VARIABLE = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
/**
 * With Lambda's defaults. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FUNCTION = v.object({
  Code: v.object({ S3Key: v.string() }),
  Handler: v.string(),
  Timeout: v.optional(v.number(), 3),
  MemorySize: v.optional(v.number(), 128),
  Environment: v.optional(v.object({ Variables: v.optional(v.record(v.string(), VARIABLE)) })),
})
const INVOKE_CONFIG = v.object({
  FunctionName: v.optional(v.string()),
  MaximumRetryAttempts: v.optional(v.number(), 2),
  MaximumEventAgeInSeconds: v.optional(v.number(), 21_600),
})

const SCHEDULE = v.object({
  ScheduleExpression: v.pipe(
    v.string(),
    v.regex(/^rate\(\d+ (minute|hour|day)s?\)$/, 'only rate(…) schedules run here'),
  ),
  Target: v.object({ Arn: v.string(), Input: v.optional(v.string(), '{}') }),
})

/** @param runId makes the names of this run's tables unique: other runs may use the same DynamoDB Local */
export async function readAssembly(
  directory: string,
  { runId, ...place }: Pick<Stack, 'region' | 'account'> & { readonly runId: string },
) {
  const { artifacts } = await readJson(join(directory, 'manifest.json'), MANIFEST)
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack')
  const declared = stacks.map(async ([id, { properties }]) => {
    const { Resources } = await readJson(join(directory, properties?.templateFile ?? ''), TEMPLATE)
    const { files } = await readJson(join(directory, `${id}.assets.json`), ASSETS)
    const directories = Object.values(files).flatMap(({ source: { path, packaging }, destinations }) =>
      packaging === 'zip'
        ? Object.values(destinations).map((to) => [to.objectKey, join(directory, path)] as const)
        : [],
    )
    const stack = { ...place, name: `${id}-${runId}`, resources: new Map(Object.entries(Resources)) }
    return readStack(stack, new Map(directories))
  })
  const all = await Promise.all(declared)
  return {
    tables: all.flatMap(({ tables }) => tables),
    functions: all.flatMap(({ functions }) => functions),
    schedules: all.flatMap(({ schedules }) => schedules),
  }
}

/** @param assets the directory of each asset, by its S3 key in a deployment */
export function readStack(stack: Stack, assets: ReadonlyMap<string, string>) {
  /** The resources of this type, with the properties of the schema; others are not read. */
  const all = <S extends Schema>(type: string, schema: S) =>
    [...stack.resources]
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => {
        const names = { id, name: physicalName(stack, id), arn: arnOf(stack, id) ?? '' }
        return { ...names, properties: parse(schema, resolve(stack, Properties), id) }
      })
  const configs = all('AWS::Lambda::EventInvokeConfig', INVOKE_CONFIG).map(({ properties }) => properties)
  return {
    tables: all('AWS::DynamoDB::GlobalTable', TABLE).map(({ name, properties }): Table => {
      return { TableName: name, BillingMode: 'PAY_PER_REQUEST', ...properties }
    }),
    functions: all('AWS::Lambda::Function', FUNCTION).map(({ id, name, arn, properties }): LambdaFunction => {
      const directory = assets.get(properties.Code.S3Key)
      if (directory === undefined)
        throw new TemplateError(`${id}: its code is not a directory among the stack's assets`)
      const config = configs.find(({ FunctionName }) => FunctionName === name) ?? v.parse(INVOKE_CONFIG, {})
      return {
        ...{ name, arn, directory, handler: properties.Handler, environment: properties.Environment?.Variables ?? {} },
        timeoutMs: 1000 * properties.Timeout,
        memoryMb: properties.MemorySize,
        retries: config.MaximumRetryAttempts,
        maxEventAgeMs: 1000 * config.MaximumEventAgeInSeconds,
      }
    }),
    schedules: all('AWS::Scheduler::Schedule', SCHEDULE).map(({ name, arn, properties }) => {
      const { Arn: targetArn, Input: input } = properties.Target
      return { name, arn, periodMs: parseSchedule(properties.ScheduleExpression).floorMs, targetArn, input }
    }),
  }
}

type Schema = v.GenericSchema

/** @throws Error if the file cannot be read, is not JSON, or does not fit the schema */
export async function readJson<S extends Schema>(file: string, schema: S): Promise<v.InferOutput<S>> {
  return parse(schema, JSON.parse(await readFile(file, 'utf8')), file)
}

function parse<S extends Schema>(schema: S, value: unknown, where: string): v.InferOutput<S> {
  const read = v.safeParse(schema, value)
  if (read.success) return read.output
  const [{ input, message }] = read.issues
  const path = v.getDotPath(read.issues[0]) ?? 'its content'
  throw new TemplateError(`${where}: ${path}: ${message.replace(/ but received.*/s, '')}, not ${JSON.stringify(input)}`)
}
