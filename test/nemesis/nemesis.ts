/**
 * `npm run nemesis`: the shipped library in real processes, against DynamoDB Local behind a network that does its worst;
 * after Jepsen's tests of etcd's locks (https://jepsen.io/analyses/etcd-3.4.3). What happened goes to files; `check.ts`
 * reads them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDynamoDBLocal } from '../../infra/local/dynamodb-local.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/local/interrupt.ts'
import { type Part, writePart } from '../proof/part.ts'
import { check } from './check.ts'
import { readHistory } from './history.ts'
import { type NemesisOptions, OptionError, parseOptions } from './options.ts'
import { type Progress, Status } from './progress.ts'
import { type Finding, partOf, print } from './report.ts'
import { type RunResult, run } from './run.ts'
import { findFakeClock } from './workers/faketime.ts'
import { WORKLOADS, type WorkloadName } from './workloads.ts'

const FULL = { operations: 220, stagedWrites: 3, mostMs: 150_000 }
const QUICK = { operations: 60, stagedWrites: 1, mostMs: 60_000 }
/** Workloads side by side: they mostly wait for leases, and the machine may have two cores. */
const LANES = 2

process.exitCode = await main(process.argv.slice(2))

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
  return { workload, seconds, troubles, verdict: check(readHistory(directory), workload) }
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
      'faketime is not installed: clocks were set wrong through the library alone (Debian: apt install faketime).',
    )
  }
  const dynamodb = await startDynamoDBLocal({ signal })
  const status = new Status(workloads.length)
  try {
    const size = quick ? QUICK : FULL
    const common = { ...size, seed, endpoint: dynamodb.endpoint, directory, fakeClock, signal }
    return await inLanes(workloads, failed, async (name) => {
      const progress = (now: Progress) => status.show(name, now, size.operations)
      const result = await run({ ...common, workload: WORKLOADS[name], progress })
      status.done(name)
      return [name, result] as const
    })
  } finally {
    await dynamodb.stop()
  }
}

/** A few at a time; the first that fails stops the others. */
async function inLanes<T, R>(
  items: readonly T[],
  failed: AbortController,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: { readonly place: number; readonly result: R }[] = []
  const waiting = [...items.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined && !failed.signal.aborted; next = waiting.shift()) {
      const [place, item] = next
      results.push({ place, result: await work(item) })
    }
  }
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  const ended = await Promise.allSettled(lanes)
  for (const { status, ...how } of ended) {
    if (status === 'rejected') throw failed.signal.reason ?? how
  }
  return results.toSorted((a, b) => a.place - b.place).map(({ result }) => result)
}
