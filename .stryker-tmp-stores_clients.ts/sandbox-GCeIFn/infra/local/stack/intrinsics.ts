/**
 * The intrinsic functions of CloudFormation that the stacks here use: Ref, Fn::GetAtt and Fn::Join. Any other call
 * stays as it is, never a guess; the schema of the resource refuses it if its property is read.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
// @ts-nocheck

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
}

export interface Stack {
  readonly name: string
  readonly region: string
  readonly account: string
  readonly resources: ReadonlyMap<string, Resource>
}

/** `value` without intrinsic functions. AWS::NoValue removes its property or element. */
export function resolve(stack: Stack, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(stack, one)).filter((one) => one !== undefined)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, resolve(stack, inner)] as const)
  const [only, ...others] = entries
  if (only !== undefined && others.length === 0) {
    if (only[0] === 'Ref' && only[1] === 'AWS::NoValue') return undefined
    const result = call(stack, ...only)
    if (result !== undefined) return result
  }
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined))
}

function call(stack: Stack, name: string, argument: unknown): string | undefined {
  if (name === 'Ref' && typeof argument === 'string') return ref(stack, argument)
  if (!Array.isArray(argument)) return undefined
  const [first, second] = argument
  if (name === 'Fn::GetAtt' && typeof first === 'string' && second === 'Arn') return arnOf(stack, first)
  const canJoin = name === 'Fn::Join' && Array.isArray(second) && second.every((part) => typeof part === 'string')
  return canJoin ? second.join(String(first)) : undefined
}

function ref(stack: Stack, id: string): string | undefined {
  const pseudo = new Map([
    ['AWS::Region', stack.region],
    ['AWS::AccountId', stack.account],
    ['AWS::Partition', 'aws'],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::StackName', stack.name],
  ])
  const type = stack.resources.get(id)?.Type
  if (type === undefined) return pseudo.get(id)
  if (type === 'AWS::SQS::Queue')
    return `https://sqs.${stack.region}.amazonaws.com/${stack.account}/${stack.name}-${id}`
  return NAMED.has(type) ? physicalName(stack, id) : undefined
}

/** For each type that runs here: the property that gives the name, and the part of the ARN before the name. */
const NAMED = new Map([
  ['AWS::DynamoDB::GlobalTable', ['TableName', 'dynamodb:REGION:ACCOUNT:table/']],
  ['AWS::Lambda::Function', ['FunctionName', 'lambda:REGION:ACCOUNT:function:']],
  ['AWS::Scheduler::Schedule', ['Name', 'scheduler:REGION:ACCOUNT:schedule/default/']],
])

/** The name that the template gives, else one as CloudFormation makes it: from the stack's name and the logical id. */
export function physicalName(stack: Stack, id: string): string {
  const { Type = '', Properties = {} } = stack.resources.get(id) ?? {}
  const given = resolve(stack, Properties[NAMED.get(Type)?.[0] ?? ''])
  return typeof given === 'string' ? given : `${stack.name}-${id}`
}

/** Undefined if the template has no such resource, or if its ARN is unknown here. */
export function arnOf(stack: Stack, id: string): string | undefined {
  const [, form] = NAMED.get(stack.resources.get(id)?.Type ?? '') ?? []
  const start = form?.replace('REGION', stack.region).replace('ACCOUNT', stack.account)
  return start && `arn:aws:${start}${physicalName(stack, id)}`
}
