/** One run on this machine: the app's own templates and bundles, DynamoDB Local, and ticks one after the other. */
// @ts-nocheck

import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import { Cleanups } from '../../programs/cleanups.ts'
import { type CallFault, describeCallFault, type ManualFault } from '../faults/fault.ts'
import { ManualFaults } from '../faults/manual-faults.ts'
import { compose } from '../lambda-host/interceptor.ts'
import { LambdaHost } from '../lambda-host/lambda-host.ts'
import type { Over } from '../observe/entries.ts'
import { Recorder } from '../observe/recorder.ts'
import { Feed } from '../page/feed.ts'
import { type PageOptions, startPage } from '../page/server.ts'
import { PAST_LEASE_MS } from '../stack/resources.ts'
import { type Deployment, type DeploymentOptions, deployLocally } from './deployment.ts'
import type { Display } from './display.ts'
import type { RunOptions } from './options.ts'
import { RunningTicks } from './running-ticks.ts'
import type { Task, TaskContext } from './task.ts'
import { Ticks } from './ticks.ts'
import { type Conclusion, verdictLines } from './verdict.ts'

export interface LocalRunOptions extends Omit<DeploymentOptions, 'context'> {
  readonly options: RunOptions
  readonly task: (context: TaskContext) => Task
  /** CDK context, besides the candidates and the lease duration. */
  readonly context?: DeploymentOptions['context'] | undefined
  readonly display: Display
}

/**
 * Runs all ticks. Each part is made from parts that exist already; at the end they stop in the opposite order.
 *
 * @throws Error that says what to install or to repair
 */
export async function runLocally(run: LocalRunOptions): Promise<Conclusion> {
  const { options, display, signal } = run
  await using resources = new Cleanups()
  const feed = new Feed()
  showFaults(feed, display)
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const leaseMs = Math.round(LAMBDA_LEASE_MS * options.timeScale)
  const context = { ...run.context, candidates: options.candidates, leaseMs }
  const deployment = withTimeout(options.timeoutMs, await deployLocally({ ...run, context }, resources))
  const { dynamodb, candidates, lease } = deployment
  display.deployed(dynamodb)

  const runningTicks = new RunningTicks()
  const { continueSelf } = runningTicks
  const host = new LambdaHost({ ...deployment, ...options, continueSelf, dynamodbEndpoint: dynamodb.endpoint })
  const recorder = new Recorder({ leaseTable: lease.leaseTable, add: (entry) => feed.add(entry) })
  const injecting = {
    processes: host,
    deliverAgain: (requestId: string) => runningTicks.deliverAgain(requestId),
    pastLeaseMs: lease.leaseMs + PAST_LEASE_MS,
    signal,
  }
  const manualFaults = new ManualFaults({
    ...injecting,
    candidates: candidates.length,
    leaseTable: lease.leaseTable,
    election: recorder,
    onFault: (description, on) => recorder.faultInjected(description, on),
    add: (entry) => feed.add(entry),
  })
  const common = { ...deployment, options, display, recorder, signal }
  const onFault = (fault: CallFault, requestId: string) =>
    recorder.faultInjected(describeCallFault(fault), { requestId })
  const task = run.task({ ...common, injecting: { ...injecting, onFault } })
  await task.seed?.()
  signal.throwIfAborted()

  const { atFunction, atService } = recorder
  resources.defer(() => host.stop())
  await host.open(compose(atFunction, manualFaults.intercept, ...(task.interceptors ?? []), atService))
  signal.addEventListener('abort', () => void host.stop(), { once: true })

  const ticks = new Ticks({ ...common, task, host, manualFaults, runningTicks, feed })
  let verdict: Over['verdict']
  const inject = (fault: ManualFault) => manualFaults.inject(fault)
  await servePage({ options, display, feed, logs: recorder.logs, inject, verdict: () => verdict }, resources)
  const end = await ticks.run()
  const conclusion = await task.conclude(end)
  verdict = verdictLines(conclusion, end.wasCut)
  display.ended(conclusion, end)
  return conclusion
}

/** In the terminal, as they happen. */
export function showFaults(feed: Feed, display: Display): void {
  feed.subscribe((updates, isSnapshot) => {
    for (const update of isSnapshot ? [] : updates) {
      if (update.kind === 'fault') display.fault(update)
      if (update.kind === 'effect' && update.verdict === 'unguarded') display.unguarded(update)
    }
  })
}

interface Served extends Pick<LocalRunOptions, 'display'>, Pick<PageOptions, 'logs' | 'inject'> {
  readonly options: Pick<RunOptions, 'page' | 'port'>
  readonly feed: Feed
  readonly verdict: () => Over['verdict']
}

/** Unless the options say no. At the end of the run it shows the verdict. */
export async function servePage({ options, display, verdict, ...page }: Served, resources: Cleanups): Promise<void> {
  if (!options.page) return
  const { url, stop } = await startPage({ port: options.port, ...page })
  resources.defer(stop)
  resources.defer(() => page.feed.add({ kind: 'over', atMs: Date.now(), verdict: verdict() }))
  display.page(url)
}

function withTimeout(timeoutMs: number | undefined, deployment: Deployment): Deployment {
  if (timeoutMs === undefined) return deployment
  const changed = deployment.candidates.map((one) => ({ ...one, lambda: { ...one.lambda, timeoutMs } }))
  return { ...deployment, candidates: changed }
}
