/** Runs the CDK CLI against the emulator: deploys the billing stack, and finds its resources. */
// @ts-nocheck

import { mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DescribeStackResourcesCommand, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation'
import {
  GetScheduleCommand,
  ListSchedulesCommand,
  type ScheduleState,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import { ACCOUNT, awsEnvironment, type Clients, clientsOf, type Emulator, REGION } from './emulator.ts'
import { ROOT, runProgram } from './program.ts'

const STACK = 'TenureBilling'
/** A short lease, so that tests need not wait long for its expiry. */
export const LEASE_MS = 2000

export interface DeployedStack {
  readonly clients: Clients
  readonly tables: Readonly<Record<'leases' | 'subscriptions' | 'charges' | 'sandbox', string>>
  readonly functionName: string
  readonly logGroup: string
  readonly widgetName: string
  readonly checkName: string
  readonly checkLogGroup: string
  readonly failureQueueUrl: string
}

/**
 * @param cwd the directory of the CDK app
 * @returns the output
 * @throws Error with the end of the output if the CDK fails
 */
export async function cdkIn(cwd: string, emulator: Emulator, ...args: readonly string[]): Promise<string> {
  // Each run has its own output directory, because several runs can use one tree at the same time.
  const directory = args.includes('--output') ? [] : ['--output', await mkdtemp(join(emulator.directory, 'assembly-'))]
  const options = [...args, ...directory, '--no-color', '--no-notices', '--no-version-reporting']
  const { exitCode, output } = await runProgram(join(ROOT, 'node_modules/.bin/cdk'), options, {
    cwd,
    env: {
      ...awsEnvironment(emulator.url, emulator.directory),
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      CDK_HOME: emulator.directory, // for its caches, instead of the user's home
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
  })
  if (exitCode !== 0) throw new Error(`cdk ${args.join(' ')} ended with exit code ${exitCode}:\n${output.slice(-4000)}`)
  return output
}

/** Deploys the stack unless it is deployed, so that each test file can also run alone. */
export async function deployedStack(emulator: Emulator): Promise<DeployedStack> {
  const clients = clientsOf(emulator)
  if ((await findStack(clients)) === undefined) {
    await bootstrapped(emulator)
    await deploy(emulator)
  }
  return readStack(clients)
}

/** Bootstraps the account unless it is bootstrapped. */
export async function bootstrapped(emulator: Emulator): Promise<void> {
  if ((await findStack(clientsOf(emulator), 'CDKToolkit')) !== undefined) return
  // In a directory without an app, so that the CDK synthesizes nothing.
  await cdkIn(emulator.directory, emulator, 'bootstrap', `aws://${ACCOUNT}/${REGION}`)
}

/** Synthesizes and deploys by one command, as a user does. */
export async function deploy(emulator: Emulator, options: readonly string[] = ['--context', `leaseMs=${LEASE_MS}`]) {
  await cdkIn(ROOT, emulator, 'deploy', STACK, '--require-approval', 'never', '--progress', 'events', ...options)
  await disableChecks(clientsOf(emulator))
}

/** A check of dead ticks would run twelve times at once whenever a test advances the clock by an hour. */
export async function disableChecks(clients: Clients): Promise<void> {
  const { Schedules = [] } = await clients.scheduler.send(new ListSchedulesCommand({}))
  for (const { Name = '' } of Schedules) if (Name.includes('DeadTicks')) await setSchedule(clients, Name, 'DISABLED')
}

/** @throws Error if the stack is not deployed */
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
    widgetName: resource('AWS::Lambda::Function', 'DashboardWidget'),
    checkName: resource('AWS::Lambda::Function', 'AlarmsCheckFunction'),
    checkLogGroup: resource('AWS::Logs::LogGroup', 'AlarmsCheckFunctionLogs'),
    failureQueueUrl: output('FailureQueueUrl'),
  }
}

export async function stackStatus(clients: Clients): Promise<string> {
  return (await findStack(clients))?.StackStatus ?? 'gone'
}

/** @throws Error if the stack is not deployed */
export async function outputsOf(clients: Clients, name: string): Promise<ReadonlyMap<string, string>> {
  const { Outputs } = (await findStack(clients, name)) ?? fail(`The stack ${name} is not deployed`)
  return new Map(Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
}

async function findStack({ cloudFormation }: Clients, StackName = STACK): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }))
    return Stacks.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE')
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined
    throw error
  }
}

export async function setSchedule({ scheduler }: Clients, Name: string, State: ScheduleState): Promise<void> {
  const { ScheduleExpression, FlexibleTimeWindow, Target, Description } = await scheduler.send(
    new GetScheduleCommand({ Name }),
  )
  const kept = { ScheduleExpression, FlexibleTimeWindow, Target, Description }
  await scheduler.send(new UpdateScheduleCommand({ Name, State, ...kept }))
}

function fail(message: string): never {
  throw new Error(message)
}
