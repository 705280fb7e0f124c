/** The deployed billing stack, as the tests see it. */
import { DescribeStackResourcesCommand, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation'
import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { historyKey } from '../../functions/announce/history-row.ts'
import type { LeaseRecord } from '../../functions/election/rules.ts'
import { LEASE_RECORD, readRow } from '../../functions/election/stores/row.ts'
import { assemblyOf, contextOptions } from './assembly.ts'
import { ACCOUNT, LEASE_MS, REGION } from './aws.ts'
import { cdk, cdkIn, runCdk } from './cdk.ts'
import { type Clients, clientsOf } from './clients.ts'
import type { Emulator } from './environment.ts'
import { until } from './poll.ts'

export const STACK = 'TenureBilling'
export const LEASE = 'billing'

export interface DeployedStack {
  readonly clients: Clients
  readonly tables: Readonly<Record<'leases' | 'subscriptions' | 'charges' | 'sandbox', string>>
  readonly functionName: string
  readonly logGroup: string
  readonly announcerName: string
  readonly announcerLogGroup: string
  readonly widgetName: string
  readonly failureQueueUrl: string
}

/** Deploys the stack where that has not happened yet: so each test file can also run alone. */
export async function deployedStack(emulator: Emulator): Promise<DeployedStack> {
  const clients = clientsOf(emulator)
  if ((await describe(clients)) === undefined) {
    await bootstrapped(emulator)
    await deploy(emulator)
  }
  return readStack(clients)
}

/** Bootstraps the account where that has not happened yet. */
export async function bootstrapped(emulator: Emulator): Promise<void> {
  if ((await describe(clientsOf(emulator), 'CDKToolkit')) === undefined) await bootstrap(emulator)
}

/** Where there is no app, so that none is synthesized for it. */
export const bootstrap = (emulator: Emulator) => cdkIn(emulator.directory, emulator, 'bootstrap', ENVIRONMENT)

const ENVIRONMENT = `aws://${ACCOUNT}/${REGION}`

/** The lease is short, so that its expiry need not be waited for long. */
export const SHORT_LEASE = `leaseMs=${LEASE_MS}`

/** In one go, as a user does: what the project's app says now. */
export const deploy = (emulator: Emulator) =>
  cdk(emulator, ...DEPLOY, '--output', assemblyOf(emulator, [SHORT_LEASE]), ...contextOptions([SHORT_LEASE]))

/** @param app what `synthesize` gave, so that it does not take long, or the command of another app */
export const deployApp = (emulator: Emulator, app: string) => runCdk(emulator, ...DEPLOY, '--app', app)

const DEPLOY = ['deploy', STACK, '--require-approval', 'never', '--progress', 'events'] as const

/** @throws Error where the stack is not there */
export async function readStack(clients: Clients): Promise<DeployedStack> {
  const outputs = await outputsOf(clients, STACK)
  const output = (key: string) => outputs.get(key) ?? fail(`The stack ${STACK} has no output ${key}`)
  const { StackResources = [] } = await clients.cloudFormation.send(
    new DescribeStackResourcesCommand({ StackName: STACK }),
  )
  const resource = (type: string, prefix: string) =>
    StackResources.find((each) => each.ResourceType === type && each.LogicalResourceId?.startsWith(prefix))
      ?.PhysicalResourceId ?? fail(`The stack ${STACK} has no ${type} ${prefix}…`)
  return {
    clients,
    tables: {
      leases: output('LeaseTableName'),
      subscriptions: output('SubscriptionsTableName'),
      charges: output('ChargesTableName'),
      sandbox: resource('AWS::DynamoDB::GlobalTable', 'SandboxTable'),
    },
    functionName: output('FunctionName'),
    logGroup: resource('AWS::Logs::LogGroup', 'ChargeSubscriptionsLogs'),
    announcerName: resource('AWS::Lambda::Function', 'EventsAnnouncer'),
    announcerLogGroup: resource('AWS::Logs::LogGroup', 'EventsAnnouncerLogs'),
    widgetName: resource('AWS::Lambda::Function', 'DashboardWidget'),
    failureQueueUrl: output('FailureQueueUrl'),
  }
}

/** @throws Error where the stack is not there */
export async function outputsOf(clients: Clients, name: string): Promise<ReadonlyMap<string, string>> {
  const stack = await describe(clients, name)
  if (stack === undefined) throw new Error(`The stack ${name} is not deployed`)
  return new Map(stack.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
}

export async function stackStatus(clients: Clients): Promise<string> {
  return (await describe(clients))?.StackStatus ?? 'gone'
}

async function describe({ cloudFormation }: Clients, StackName = STACK): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }))
    return Stacks.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE')
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined
    throw error
  }
}

export async function leaseRow({ clients, tables }: DeployedStack): Promise<LeaseRecord | undefined> {
  const Key = { lease: { S: LEASE }, record: { S: LEASE_RECORD } }
  const { Item } = await clients.dynamodb.send(
    new GetItemCommand({ TableName: tables.leases, Key, ConsistentRead: true }),
  )
  return Item === undefined ? undefined : readRow(Item, LEASE)
}

/** What is remembered of a tenure of the lease. */
export async function historyRow(
  { clients, tables }: DeployedStack,
  fencingToken: number,
): Promise<Record<string, AttributeValue> | undefined> {
  const { lease, record } = historyKey({ lease: LEASE, fencingToken })
  const Key = { lease: { S: lease }, record: { S: record } }
  return (await clients.dynamodb.send(new GetItemCommand({ TableName: tables.leases, Key }))).Item
}

export async function untilCompleted(stack: DeployedStack, tick: string): Promise<LeaseRecord> {
  const row = await until(`the tick ${tick} to be completed`, async () => {
    const seen = await leaseRow(stack)
    return { done: seen?.completedTick === tick && seen.holder === undefined, seen }
  })
  return row ?? fail('The lease row is gone')
}

function fail(message: string): never {
  throw new Error(message)
}
