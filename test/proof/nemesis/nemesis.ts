/**
 * `npm run nemesis`: the shipped library in real processes, against DynamoDB Local behind a network that does its worst;
 * after Jepsen's tests of etcd's locks (https://jepsen.io/analyses/etcd-3.4.3). What happened goes to files; `check.ts`
 * reads them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDynamoDBLocal } from '../../../infra/programs/dynamodb-local.ts'
import { OptionError } from '../../../infra/programs/flags.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../../infra/programs/interrupt.ts'
import { type Part, writePart } from '../part.ts'
import { check } from './check.ts'
import { checkSubstance } from './checks/substance.ts'
import { readHistory } from './history.ts'
import { type NemesisOptions, parseOptions } from './options.ts'
import { type Progress, Status } from './progress.ts'
import { type Finding, partOf, print } from './report.ts'
import { type RunResult, run } from './run.ts'
import { findFakeClock } from './workers/faketime.ts'
import { WORKLOADS, type WorkloadName } from './workloads.ts'

const FULL = { operations: 220, stagedWrites: 3, mostMs: 150_000 }
const QUICK = { operations: 60, stagedWrites: 1, mostMs: 60_000 }
/** Workloads side by side: they mostly wait for leases, and the machine may have two cores. */
const LANES = 2
/** The ones that take longest come first, so that no lane is left alone with one at the end. */
const LONGEST_FIRST: readonly WorkloadName[] = ['complete', 'guard', 'fence', 'unclaimed', 'unfenced']

// Not by itself: after a Ctrl-C some faults still wait for a moment that never comes.
process.exit(await main(process.argv.slice(2)))

async function main(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseOptions(argv)
    if (parsed.kind === 'help') {
      process.stdout.write(parsed.text)
      return 0
    }
    return await fight(parsed.options)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function fight(options: NemesisOptions): Promise<number> {
  using interrupt = onInterrupt()
  const startedAt = performance.now()
  const directory = directoryFor(options)
  let part: Part | undefined
  try {
    const notes: string[] = []
    const results = await runAll(options, directory, notes, interrupt.signal)
    process.stderr.write('Checking the histories …\n')
    const findings = results.map(([name, result]) => judge(name, result))
    part = partOf(findings, options, (performance.now() - startedAt) / 1_000, notes)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    process.stderr.write('Interrupted.\n')
    return INTERRUPTED_EXIT_CODE
  } finally {
    if (options.histories === undefined && part?.passed !== false) rmSync(directory, { recursive: true, force: true })
  }
  process.stdout.write(`${print(part)}\n`)
  if (!part.passed || options.histories !== undefined) process.stdout.write(`The histories are in ${directory}\n`)
  if (options.json !== undefined) writePart(options.json, part)
  return part.passed ? 0 : 1
}

function directoryFor({ histories }: NemesisOptions): string {
  if (histories === undefined) return mkdtempSync(join(tmpdir(), 'tenure-nemesis-'))
  mkdirSync(histories, { recursive: true })
  return histories
}

function judge(name: WorkloadName, { directory, seconds, troubles }: RunResult): Finding {
  const workload = WORKLOADS[name]
  const { figures, failures } = check(readHistory(directory), workload)
  const verdict = { figures, failures: [...failures, ...checkSubstance(figures, workload)] }
  return { workload, seconds, troubles, verdict }
}

async function runAll(
  { quick, seed, workloads }: NemesisOptions,
  directory: string,
  notes: string[],
  interrupted: AbortSignal,
): Promise<(readonly [WorkloadName, RunResult])[]> {
  const failed = new AbortController()
  const signal = AbortSignal.any([interrupted, failed.signal])
  const fakeClock = await findFakeClock(process.env)
  if (fakeClock === undefined) {
    notes.push(
      'faketime is not installed, or has no effect on Node: clocks were set wrong through the library alone (Debian: apt install faketime).',
    )
  }
  const dynamodb = await startDynamoDBLocal({ signal, sharedDb: true })
  const status = new Status(workloads.length)
  try {
    const size = quick ? QUICK : FULL
    const common = { ...size, seed, endpoint: dynamodb.endpoint, directory, fakeClock, signal }
    const order = LONGEST_FIRST.filter((name) => workloads.includes(name))
    const results = await inLanes(order, failed, async (name) => {
      const progress = (now: Progress) => status.show(name, now, size.operations)
      const result = await run({ ...common, workload: WORKLOADS[name], progress })
      status.done(name)
      return [name, result] as const
    })
    return workloads.flatMap((name) => results.filter(([ofWorkload]) => ofWorkload === name))
  } finally {
    await dynamodb.stop()
  }
}

/** A few at a time; the first that fails stops the others. */
async function inLanes<T, R>(
  items: readonly T[],
  failed: AbortController,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = [...items]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined && !failed.signal.aborted; next = waiting.shift()) {
      results.push(await work(next))
    }
  }
  const lanes = Array.from({ length: LANES }, () => lane().catch((error: unknown) => failed.abort(error)))
  await Promise.all(lanes)
  failed.signal.throwIfAborted()
  return results
}
