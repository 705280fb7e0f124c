/**
 * CloudFormation's intrinsic functions, as far as the stacks here use them: Ref, Fn::GetAtt, Fn::Join, Fn::Sub and
 * Fn::Select. What is missing is an error that names the resource, never a guess.
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
  readonly parameters: Readonly<Record<string, Json>>
  readonly resources: Readonly<Record<string, Resource>>
}

export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** What an object has of its own: a name in a template may be one that every object inherits, such as `constructor`. */
const own = <Value>(of: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined

/** `value` without intrinsics; `where` names the resource in errors. AWS::NoValue takes its property or element away. */
export function resolve(stack: Stack, where: string, value: Json): Json | undefined {
  if (isList(value)) return value.flatMap((element) => resolve(stack, where, element) ?? [])
  if (!isObject(value)) return value
  const [only, ...others] = Object.entries(value)
  if (only !== undefined && others.length === 0 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    return call(stack, where, ...only)
  }
  const entries = Object.entries(value).map(([key, inner]) => [key, resolve(stack, where, inner)] as const)
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

function call(stack: Stack, where: string, name: string, argument: Json): Json | undefined {
  const bad = (): never => {
    throw new TemplateError(`${where}: ${name} cannot be resolved here: ${JSON.stringify(argument)}`)
  }
  switch (name) {
    case 'Ref':
      return typeof argument === 'string' ? ref(stack, where, argument) : bad()
    case 'Fn::GetAtt': {
      const [id, attribute] = typeof argument === 'string' ? argument.split('.') : isList(argument) ? argument : []
      return typeof id === 'string' && typeof attribute === 'string' ? getAtt(stack, where, id, attribute) : bad()
    }
    case 'Fn::Join': {
      const [separator, parts] = isList(argument) ? argument : []
      const resolved = parts === undefined ? undefined : resolve(stack, where, parts)
      return typeof separator === 'string' && isList(resolved) ? resolved.map(String).join(separator) : bad()
    }
    case 'Fn::Sub': {
      const [text, variables] = isList(argument) ? argument : [argument, {}]
      return typeof text === 'string' && isObject(variables) ? substitute(stack, where, text, variables) : bad()
    }
    case 'Fn::Select': {
      const [index, list] = isList(argument) ? argument : []
      const resolved = list === undefined ? undefined : resolve(stack, where, list)
      return isList(resolved) ? (resolved[Number(index)] ?? bad()) : bad()
    }
    default:
      return bad()
  }
}

function substitute(stack: Stack, where: string, text: string, variables: JsonObject): string {
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`
    const [id = '', attribute] = name.split('.')
    const given = own(variables, name)
    if (given !== undefined) return String(resolve(stack, where, given))
    return String(attribute === undefined ? ref(stack, where, id) : getAtt(stack, where, id, attribute))
  })
}

function ref(stack: Stack, where: string, id: string): Json | undefined {
  if (id === 'AWS::NoValue') return undefined
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::Region': stack.region,
    'AWS::AccountId': stack.account,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
    'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/local`,
  }
  const known = own(pseudo, id) ?? own(stack.parameters, id)
  if (known !== undefined) return known
  const resource = resourceOf(stack, where, id)
  if (resource.type === 'AWS::SNS::Topic') return arn(stack, where, id, resource)
  if (resource.type !== 'AWS::SQS::Queue') return physicalName(stack, id)
  return `https://sqs.${stack.region}.amazonaws.com/${stack.account}/${physicalName(stack, id)}`
}

function getAtt(stack: Stack, where: string, id: string, attribute: string): string {
  const resource = resourceOf(stack, where, id)
  if (attribute === 'Arn') return arn(stack, where, id, resource)
  throw new TemplateError(`${where}: the attribute ${attribute} of ${id} (${resource.type}) is not known here`)
}

/** The property that names a resource of each type, and the part of its ARN between the region's colon and the name. */
const NAMED: Readonly<Record<string, { readonly property: string; readonly arn: string }>> = {
  'AWS::DynamoDB::GlobalTable': { property: 'TableName', arn: 'dynamodb:REGION:ACCOUNT:table/' },
  'AWS::Lambda::Function': { property: 'FunctionName', arn: 'lambda:REGION:ACCOUNT:function:' },
  'AWS::Scheduler::Schedule': { property: 'Name', arn: 'scheduler:REGION:ACCOUNT:schedule/default/' },
  'AWS::Scheduler::ScheduleGroup': { property: 'Name', arn: 'scheduler:REGION:ACCOUNT:schedule-group/' },
  // Its Ref would be its ARN, which ends in six random characters; the service takes either.
  'AWS::SecretsManager::Secret': { property: 'Name', arn: 'secretsmanager:REGION:ACCOUNT:secret:' },
  'AWS::SQS::Queue': { property: 'QueueName', arn: 'sqs:REGION:ACCOUNT:' },
  'AWS::SNS::Topic': { property: 'TopicName', arn: 'sns:REGION:ACCOUNT:' },
  'AWS::IAM::Role': { property: 'RoleName', arn: 'iam::ACCOUNT:role/' },
}

/** The name that the template gives, else one made as CloudFormation makes them: from the stack's and the logical id. */
export function physicalName(stack: Stack, id: string): string {
  const resource = own(stack.resources, id)
  const given = resource === undefined ? undefined : resource.properties[NAMED[resource.type]?.property ?? '']
  const name = given === undefined ? undefined : resolve(stack, id, given)
  return typeof name === 'string' ? name : `${stack.name}-${id}`
}

function arn(stack: Stack, where: string, id: string, resource: Resource): string {
  const form = NAMED[resource.type]?.arn
  if (form === undefined) throw new TemplateError(`${where}: the ARN of ${id} (${resource.type}) is not known here`)
  const prefix = form.replace('REGION', stack.region).replace('ACCOUNT', stack.account)
  return `arn:aws:${prefix}${physicalName(stack, id)}`
}

function resourceOf(stack: Stack, where: string, id: string): Resource {
  const resource = own(stack.resources, id)
  if (resource === undefined) throw new TemplateError(`${where}: refers to ${id}, which the template does not have`)
  return resource
}
