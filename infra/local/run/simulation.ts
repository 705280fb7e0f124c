/**
 * One run on this machine: the app's own template and bundles, DynamoDB Local, and ticks one after the other. What it
 * starts it stops, in the opposite order, however it ends.
 */
import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import type { DynamoDBLocal } from '../../programs/dynamodb-local.ts'
import type { Display } from '../cli/display.ts'
import type { StartOptions } from '../cli/options.ts'
import type { ElectionSummary } from '../cli/summary.ts'
import { compose } from '../faults/compose.ts'
import { describeCallFault, FaultError } from '../faults/fault.ts'
import { ManualFaults } from '../faults/manual-faults.ts'
import { newAccessKey } from '../lambda-host/caller.ts'
import { type LambdaHost, startLambdaHost } from '../lambda-host/lambda-host.ts'
import { Recorder } from '../observe/recorder.ts'
import { Feed } from '../page/feed.ts'
import { type PageOptions, startPage } from '../page/server.ts'
import type { Json } from '../stack/intrinsics.ts'
import { prepare } from '../stack/prepare.ts'
import { PAST_LEASE_MS } from '../stack/resources.ts'
import { candidatesOf } from '../stack/schedules.ts'
import { readAssembly } from '../stack/synthesize.ts'
import { createTables, deleteTables } from '../stack/tables.ts'
import { createRoll } from './running-ticks.ts'
import type { Reported, TaskMaker } from './task.ts'
import { runTicks } from './ticks.ts'

export interface Run<Report extends ElectionSummary> {
  readonly options: StartOptions
  readonly task: TaskMaker<Report>
  /** The command that synthesizes the stacks, run in `root`. */
  readonly app: string
  readonly root: string
  /** For the app, besides the candidates and the lease. */
  readonly context?: Readonly<Record<string, Json>> | undefined
  readonly display: Display
  /** A DynamoDB Local that runs already, and stays. @default one of its own */
  readonly dynamodb?: DynamoDBLocal | undefined
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal
}

const REGION = 'eu-central-1'
const ACCOUNT = '000000000000'

/** @throws Error that says what to install or to repair, where the run could not start. */
export async function simulate<Report extends ElectionSummary>(
  run: Run<Report>,
): Promise<Pick<Reported<Report>, 'summary' | 'verdict'>> {
  const { options, display, signal } = run
  await using resources = new AsyncDisposableStack()
  const feed = new Feed()
  const page = options.page ? await servePage(run, feed, resources) : undefined
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const context = {
    ...run.context,
    candidates: options.candidates,
    leaseMs: Math.round(LAMBDA_LEASE_MS * options.timeScale),
  }
  const { dynamodb, assembly } = await prepare({ ...run, context }, resources)
  if (dynamodb.isForeign === true) {
    display.note(`DynamoDB Local is the one at ${dynamodb.endpoint}: all who reach it may see the tables of this run.`)
  }
  const accessKey = newAccessKey()
  const client = new DynamoDBClient({
    endpoint: dynamodb.endpoint,
    region: REGION,
    credentials: { accessKeyId: accessKey, secretAccessKey: 'local' },
  })
  resources.defer(() => client.destroy())

  const names = { region: REGION, account: ACCOUNT, runId: randomUUID().slice(0, 8), parameters: {} }
  const { tables, functions, schedules } = await readAssembly(assembly, names)
  await createTables(client, tables)
  resources.defer(() => deleteTables(client, tables))

  const processes = {
    kill: (requestId: string) => host.kill(requestId),
    freeze: (requestId: string) => host.freeze(requestId),
    thaw: (requestId: string) => host.thaw(requestId),
  }
  const roll = createRoll()
  const task = run.task({
    options,
    client,
    functions,
    candidates: candidatesOf(schedules, functions),
    display,
    seen: (requestId) => recorder.observations(requestId),
    injecting: {
      processes,
      onFault: (fault, requestId) => {
        display.struck(fault)
        recorder.faultInjected(describeCallFault(fault), { requestId })
      },
      deliverAgain: roll.deliverAgain,
      signal,
    },
    signal,
  })
  const { leaseTable, leaseMs } = task
  const recorder = new Recorder({ leaseTable, add: (entry) => feed.add(entry) })
  const manualFaults = new ManualFaults({
    candidates: task.candidates.length,
    leaseTable,
    processes,
    election: recorder,
    onFault: (description, on) => {
      const candidate = on?.candidate ?? recorder.candidateOf(on?.requestId ?? '')
      display.warn(`    ⚡ ${candidate === undefined ? '' : `candidate ${candidate}: `}${description}`)
      recorder.faultInjected(description, on)
    },
    deliverAgain: roll.deliverAgain,
    pastLeaseMs: leaseMs + PAST_LEASE_MS,
    add: (entry) => feed.add(entry),
    signal,
  })
  await task.seed()
  signal.throwIfAborted()

  const { atFunction, atService } = recorder
  const intercept = compose(atFunction, manualFaults.intercept, ...task.interceptors, atService)
  const reach = { region: REGION, dynamodbEndpoint: dynamodb.endpoint, accessKey, functions, intercept }
  const host: LambdaHost = await startLambdaHost({ ...options, ...reach })
  resources.defer(() => host.stop())
  signal.addEventListener('abort', () => void host.stop(), { once: true })

  page?.show({ logs: recorder.logs, inject: (fault) => manualFaults.inject(fault) })
  const { tally, ...ended } = await runTicks({
    options,
    display,
    signal,
    task,
    host,
    manualFaults,
    recorder,
    roll,
    feed,
  })

  const reported = await task.report(tally, ended)
  display.ended({ ...reported, ...reported.verdict, cut: ended.cut })
  page?.end('The run is over')
  return reported
}

interface Page {
  /** From now on it has the logs of tenures, and injects faults. */
  show(run: Pick<PageOptions, 'logs' | 'inject'>): void
  end(description: string): void
}

/** It can be opened while the run is prepared, and hears of the end, whatever that is. */
async function servePage(
  { options, display }: Pick<Run<never>, 'options' | 'display'>,
  feed: Feed,
  resources: AsyncDisposableStack,
): Promise<Page> {
  let shown: Pick<PageOptions, 'logs' | 'inject'> | undefined
  let hasEnded = false
  const page = await startPage({
    port: options.port,
    feed,
    logs: { get: (tenure) => shown?.logs.get(tenure) },
    inject: async (fault) => {
      if (shown === undefined) throw new FaultError('The run has not begun yet')
      await shown.inject(fault)
    },
  })
  const end = (description: string) => {
    if (!hasEnded) feed.add({ kind: 'over', atMs: Date.now(), description })
    hasEnded = true
  }
  resources.defer(async () => {
    end('The run has ended early; the terminal says why')
    await page.stop()
  })
  display.page(page.url)
  const show = (run: Pick<PageOptions, 'logs' | 'inject'>) => {
    shown = run
  }
  return { show, end }
}
