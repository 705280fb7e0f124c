/** One run on this machine: the app's own templates and bundles, DynamoDB Local, and ticks one after the other. */
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import { Cleanups } from '../../programs/cleanups.ts'
import { ManualFaults } from '../faults/manual-faults.ts'
import { compose } from '../lambda-host/interceptor.ts'
import { LambdaHost } from '../lambda-host/lambda-host.ts'
import type { Over } from '../observe/entries.ts'
import { Recorder } from '../observe/recorder.ts'
import type { Feed } from '../page/feed.ts'
import { type PageOptions, startPage } from '../page/server.ts'
import { type DeploymentOptions, deploy } from './deployment.ts'
import type { Task, TaskContext } from './task.ts'
import { RunningTicks } from './tick.ts'
import { Ticks } from './ticks.ts'
import { type Conclusion, type RunOptions, verdictLines } from './verdict.ts'

/** How far another candidate's clock may be off (`maxClockSkewMs`), plus time for a renewal that is under way. */
const PAST_LEASE_MS = 1_000 + 500

export interface LocalRunOptions extends DeploymentOptions {
  readonly options: RunOptions
  readonly task: (context: TaskContext) => Task
}

/** Runs all ticks. Each part is made from parts that exist already; at the end they stop in the opposite order. */
export async function runLocally(run: LocalRunOptions): Promise<Conclusion> {
  const { options, display, signal } = run
  await using resources = new Cleanups()
  const leaseMs = Math.round(LAMBDA_LEASE_MS * options.timeScale)
  const { feed, ...deployment } = await deploy(run, { candidates: options.candidates, leaseMs }, resources)
  const { lease } = deployment

  const runningTicks = new RunningTicks()
  const { continueSelf, deliverAgain } = runningTicks
  const host = new LambdaHost({ ...deployment, ...options, continueSelf })
  const { leaseTable } = lease
  const { add } = feed
  const recorder = new Recorder({ leaseTable, add })
  const { atFunction, atService, faultInjected: onFault } = recorder
  const injecting = { processes: host, deliverAgain, pastLeaseMs: lease.leaseMs + PAST_LEASE_MS, onFault, signal }
  const { length: candidates } = deployment.candidates
  const manualFaults = new ManualFaults({ ...injecting, candidates, leaseTable, election: recorder, add })
  const common = { ...deployment, options, display, recorder, signal }
  const task = run.task({ ...common, injecting })
  await task.seed?.()
  signal.throwIfAborted()

  resources.defer(() => host.stop())
  await host.open(compose(atFunction, manualFaults.intercept, ...(task.interceptors ?? []), atService))
  signal.addEventListener('abort', () => void host.stop(), { once: true })

  const ticks = new Ticks({ ...common, task, host, manualFaults, runningTicks, feed })
  const { inject } = manualFaults
  const page = await servePage({ options, display, feed, logs: recorder.logs, inject }, resources)
  const conclusion = await task.conclude(await ticks.run())
  page.verdict = verdictLines(conclusion)
  display.ended(conclusion)
  return conclusion
}

interface Served extends Pick<LocalRunOptions, 'display'>, Pick<PageOptions, 'logs' | 'inject'> {
  readonly options: Pick<RunOptions, 'page' | 'port'>
  readonly feed: Feed
}

/** Unless the options say no. @returns what the page shows at the end of the run */
export async function servePage({ options, display, ...page }: Served, resources: Cleanups) {
  const shown: { verdict?: Over['verdict'] } = {}
  if (!options.page) return shown
  const { url, stop } = await startPage({ port: options.port, ...page })
  resources.defer(stop)
  resources.defer(() => page.feed.add({ kind: 'over', atMs: Date.now(), ...shown }))
  display.page(url)
  return shown
}
