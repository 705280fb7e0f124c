/**
 * One run on this machine: the app's own template and bundles, DynamoDB Local, and ticks one after the other. What it
 * starts it stops, in the opposite order, however it ends.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import { type DynamoDBLocal, startDynamoDBLocal } from '../../programs/dynamodb-local.ts'
import type { Display } from '../cli/display.ts'
import type { StartOptions } from '../cli/options.ts'
import type { ElectionSummary } from '../cli/summary.ts'
import { ActError } from '../faults/acts.ts'
import { compose } from '../faults/compose.ts'
import { wordsFor } from '../faults/fault.ts'
import { createHand } from '../faults/manual-faults.ts'
import { newAccessKey } from '../lambda-host/credentials.ts'
import { Environments } from '../lambda-host/environments.ts'
import { LambdaHost } from '../lambda-host/lambda-host.ts'
import { createRecorder } from '../observe/recorder.ts'
import { createFeed, type Feed } from '../page/feed.ts'
import { type ConsoleOptions, startConsole } from '../page/server.ts'
import { readAssembly } from '../stack/assembly.ts'
import type { Json } from '../stack/intrinsics.ts'
import { PAST_LEASE_MS } from '../stack/resources.ts'
import { candidatesOf } from '../stack/schedules.ts'
import { synthesize } from '../stack/synthesize.ts'
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
  const feed = createFeed()
  const page = options.page ? await servePage(run, feed, resources) : undefined
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const context = {
    ...run.context,
    candidates: options.candidates,
    leaseMs: Math.round(LAMBDA_LEASE_MS * options.timeScale),
  }
  const { dynamodb, directory } = await prepare({ ...run, context }, resources)
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

  const names = { region: REGION, account: ACCOUNT, runId: randomUUID().slice(0, 8) }
  const { tables, functions, schedules } = await readAssembly(directory, names)
  await createTables(client, tables)
  resources.defer(() => deleteTables(client, tables))

  const processes = new Environments(options)
  const roll = createRoll()
  const task = run.task({
    options,
    client,
    functions,
    candidates: candidatesOf(schedules, functions),
    display,
    seen: (requestId) => recorder.seen(requestId),
    striking: {
      processes,
      onStrike: (fault, requestId) => {
        display.struck(fault)
        recorder.broken(wordsFor(fault), { requestId })
      },
      wakeAnother: roll.deliverAgain,
      signal,
    },
    signal,
  })
  const { leaseTable, leaseMs } = task
  const recorder = createRecorder({ leaseTable, add: feed.add })
  const hand = createHand({
    candidates: task.candidates.length,
    leaseTable,
    processes,
    recorder: {
      ...recorder,
      broken: (words, on) => {
        const candidate = on?.candidate ?? recorder.candidateOf(on?.requestId ?? '')
        display.warn(`    ⚡ ${candidate === undefined ? '' : `candidate ${candidate}: `}${words}`)
        recorder.broken(words, on)
      },
    },
    deliverAgain: roll.deliverAgain,
    pastLeaseMs: leaseMs + PAST_LEASE_MS,
    tell: feed.add,
    signal,
  })
  await task.seed()
  signal.throwIfAborted()

  const { atFunction, atService } = recorder
  const intercept = compose(atFunction, hand.intercept, ...task.interceptors, atService)
  const reach = { region: REGION, dynamodbEndpoint: dynamodb.endpoint, accessKey, functions, intercept }
  const host = await LambdaHost.start(processes, { ...options, ...reach })
  resources.defer(() => host.stop())
  signal.addEventListener('abort', () => void host.stop(), { once: true })

  page?.show({ stories: recorder.stories, act: hand.act })
  const { tally, ...ended } = await runTicks({ options, display, signal, task, host, hand, recorder, roll, feed })

  const reported = await task.report(tally, ended)
  display.ended({ ...reported, ...reported.verdict, cut: ended.cut })
  page?.end('The run is over')
  return reported
}

async function prepare(run: Omit<Run<never>, 'task'>, resources: AsyncDisposableStack) {
  const { app, root, context = {}, dynamodb: running, signal } = run
  const directory = await mkdtemp(join(tmpdir(), 'tenure-'))
  resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const cancel = new AbortController()
  const early = AbortSignal.any([signal, cancel.signal])
  const starting = running === undefined ? startDynamoDBLocal({ signal: early }) : Promise.resolve(running)
  resources.defer(async () => {
    cancel.abort()
    if (running === undefined) await (await starting.catch(() => undefined))?.stop()
  })
  const synthesizing = synthesize({ app, root, directory, context, signal: early })
  resources.defer(async () => {
    cancel.abort()
    await synthesizing.catch(() => undefined)
  })
  const [dynamodb] = await Promise.all([starting, synthesizing])
  return { dynamodb, directory }
}

interface Page {
  /** From now on it can tell stories and take acts. */
  show(run: Pick<ConsoleOptions, 'stories' | 'act'>): void
  end(words: string): void
}

/** It can be opened while the run is prepared, and hears of the end, whatever that is. */
async function servePage(
  { options, display }: Pick<Run<never>, 'options' | 'display'>,
  feed: Feed,
  resources: AsyncDisposableStack,
): Promise<Page> {
  let shown: Pick<ConsoleOptions, 'stories' | 'act'> | undefined
  let hasEnded = false
  const page = await startConsole({
    port: options.port,
    feed,
    stories: { get: (tenure) => shown?.stories.get(tenure) },
    act: async (act) => {
      if (shown === undefined) throw new ActError('The run has not begun yet')
      await shown.act(act)
    },
  })
  const end = (words: string) => {
    if (!hasEnded) feed.add({ kind: 'over', atMs: Date.now(), words })
    hasEnded = true
  }
  resources.defer(async () => {
    end('The run has ended early; the terminal says why')
    await page.stop()
  })
  display.page(page.url)
  const show = (run: Pick<ConsoleOptions, 'stories' | 'act'>) => {
    shown = run
  }
  return { show, end }
}
