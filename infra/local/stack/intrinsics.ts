/**
 * The intrinsic functions of CloudFormation that the stacks here use: Ref, Fn::GetAtt and Fn::Join. Anything else is
 * an error that names the resource, never a guess.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export interface Resource {
  readonly type: string
  readonly properties: JsonObject
}

export interface Stack {
  readonly name: string
  readonly region: string
  readonly account: string
  readonly resources: Readonly<Record<string, Resource>>
}

/** The template declares something that cannot run on this machine. The message names the resource. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** Own properties only: a name in a template may be `constructor`, which every object inherits. */
const own = <Value>(of: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined

/**
 * `value` without intrinsic functions. AWS::NoValue removes its property or element.
 *
 * @param where names the resource in errors
 * @throws TemplateError
 */
export function resolve(stack: Stack, where: string, value: Json): Json | undefined {
  if (isList(value)) return value.flatMap((element) => resolve(stack, where, element) ?? [])
  if (!isObject(value)) return value
  const [only, ...others] = Object.entries(value)
  if (only !== undefined && others.length === 0 && isIntrinsic(only[0])) return call(stack, where, ...only)
  const entries = Object.entries(value).map(([key, inner]) => [key, resolve(stack, where, inner)] as const)
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

export const isIntrinsic = (key: string): boolean => key === 'Ref' || key.startsWith('Fn::')

function call(stack: Stack, where: string, name: string, argument: Json): Json | undefined {
  if (name === 'Ref' && typeof argument === 'string') return ref(stack, where, argument)
  if (name === 'Fn::GetAtt' && isList(argument)) {
    const [id, attribute] = argument
    if (typeof id === 'string' && attribute === 'Arn') return arnOf(stack, where, id)
  }
  if (name === 'Fn::Join' && isList(argument)) {
    const [separator, parts = null] = argument
    const resolved = resolve(stack, where, parts)
    if (typeof separator === 'string' && isList(resolved)) return resolved.map(String).join(separator)
  }
  throw new TemplateError(`${where}: ${name} cannot be resolved here: ${JSON.stringify(argument)}`)
}

function ref(stack: Stack, where: string, id: string): Json | undefined {
  if (id === 'AWS::NoValue') return undefined
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::Region': stack.region,
    'AWS::AccountId': stack.account,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
  }
  const known = own(pseudo, id)
  if (known !== undefined) return known
  const { type } = resourceOf(stack, where, id)
  if (type === 'AWS::SNS::Topic') return arnOf(stack, where, id)
  if (type !== 'AWS::SQS::Queue') return physicalName(stack, id)
  return `https://sqs.${stack.region}.amazonaws.com/${stack.account}/${physicalName(stack, id)}`
}

/** For each type: the property that gives the name, and the part of the ARN between the partition and the name. */
const NAMED: Readonly<Record<string, { readonly property: string; readonly arn: string }>> = {
  'AWS::DynamoDB::GlobalTable': { property: 'TableName', arn: 'dynamodb:REGION:ACCOUNT:table/' },
  'AWS::Lambda::Function': { property: 'FunctionName', arn: 'lambda:REGION:ACCOUNT:function:' },
  'AWS::Scheduler::Schedule': { property: 'Name', arn: 'scheduler:REGION:ACCOUNT:schedule/default/' },
  // On AWS its Ref is the ARN, which ends in six random characters; the service accepts the name too.
  'AWS::SecretsManager::Secret': { property: 'Name', arn: 'secretsmanager:REGION:ACCOUNT:secret:' },
  'AWS::SQS::Queue': { property: 'QueueName', arn: 'sqs:REGION:ACCOUNT:' },
  'AWS::SNS::Topic': { property: 'TopicName', arn: 'sns:REGION:ACCOUNT:' },
}

/** The name that the template gives, else one as CloudFormation makes it: from the stack's name and the logical id. */
export function physicalName(stack: Stack, id: string): string {
  const resource = own(stack.resources, id)
  const given = resource?.properties[NAMED[resource.type]?.property ?? '']
  const name = given === undefined ? undefined : resolve(stack, id, given)
  return typeof name === 'string' ? name : `${stack.name}-${id}`
}

export function arnOf(stack: Stack, where: string, id: string): string {
  const { type } = resourceOf(stack, where, id)
  const form = NAMED[type]?.arn
  if (form === undefined) throw new TemplateError(`${where}: the ARN of ${id} (${type}) is unknown here`)
  return `arn:aws:${form.replace('REGION', stack.region).replace('ACCOUNT', stack.account)}${physicalName(stack, id)}`
}

function resourceOf(stack: Stack, where: string, id: string): Resource {
  const resource = own(stack.resources, id)
  if (resource === undefined) throw new TemplateError(`${where}: refers to ${id}, which is not in the template`)
  return resource
}
