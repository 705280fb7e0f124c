/** `npm run simulate`: histories by seed, a report of what they have shown, and the shortest one that breaks a claim. */
import './globals.ts'
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { writePart } from '../part.ts'
import { type Arguments, readArguments } from './arguments.ts'
import type { History } from './history.ts'
import { type Broken, isPassed, partOf, printReport } from './report.ts'
import { EnoughError, shrink, type Trial } from './shrink.ts'
import { Tally } from './tally.ts'

const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)
const PROGRESS_EVERY_MS = 2_000
/** Of one core's time: looking longer for a history that is shorter still is not worth the wait. */
const SHRINK_SECONDS = 30

const given = readArguments(process.argv, () => randomInt(2 ** 47))
// Only now: loading the SDK takes longer than saying that an argument is wrong.
const { live } = await import('./history.ts')
const startedMs = performance.now()
const startedCpu = cpuSeconds()
const tally = new Tally()
const failing = await liveThrough(given)
const seconds = (performance.now() - startedMs) / 1000
const ofCore = cpuSeconds() - startedCpu
const broken = failing === undefined ? undefined : await shortest(failing)
const run = { tally, seconds, cpuSeconds: ofCore, rerun: rerunOf(given), isFull: given.isFull, broken }
printReport(run, print)
if (given.json !== undefined) writePart(given.json, partOf(run))
process.exitCode = isPassed(run) ? 0 : 1

/** @returns the first history that breaks a claim */
async function liveThrough({
  seeds,
  fresh,
  ticks,
  faults,
  print: isPrinted,
  wholeSdk,
}: Arguments): Promise<History | undefined> {
  if (fresh.length > 0) progress(`Fresh seeds: ${fresh.join(', ')}`)
  let toldMs = startedMs
  const all = [...seeds, ...fresh]
  for (const [nth, seed] of all.entries()) {
    const history = await live({ seed, ticks, only: faults, wholeSdk })
    tally.add(history)
    if (isPrinted) for (const line of history.lines) print(line)
    if (isPrinted) print(`Fingerprint: ${history.fingerprint()}`)
    if (history.violation !== undefined) return history
    if (performance.now() - toldMs < PROGRESS_EVERY_MS) continue
    toldMs = performance.now()
    progress(`${nth + 1} of ${all.length} histories, ${tally.ticks} ticks`)
  }
  return undefined
}

async function shortest(history: History): Promise<Broken> {
  const { seed } = history.order
  progress(`Seed ${seed}: ${history.violation?.what}.`)
  const asItIs = {
    trial: { seed, ticks: history.setting.ticks, only: given.faults },
    result: history,
    isMinimal: false,
  }
  const mayShrink = given.shrink && given.faults === undefined
  const { trial, result, isMinimal } = mayShrink ? await shrink(seed, history, again()) : asItIs
  const { violation = { what: 'nothing' } } = result
  return { violation, seed, rerun: replayOf(trial), commit: commit(), lines: result.lines, isMinimal }
}

/** Lives through a shorter history, and says now and then how far that has come. */
function again(): (trial: Trial) => Promise<History> {
  let tries = 0
  const untilSeconds = cpuSeconds() + SHRINK_SECONDS
  let toldMs = performance.now()
  return async (trial) => {
    if (cpuSeconds() > untilSeconds) throw new EnoughError()
    tries++
    if (performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now()
      progress(
        `Looking for the shortest history that still does it: ${tries} tries, now ${trial.only?.size ?? 'all'} faults in ${trial.ticks} ticks`,
      )
    }
    return await live({ ...trial, wholeSdk: given.wholeSdk })
  }
}

function replayOf({ seed, ticks, only }: Trial): string {
  const faults = only === undefined ? '' : ` --faults ${only.size === 0 ? '""' : [...only].join(',')}`
  return `npm run simulate -- --seed ${seed} --ticks ${ticks}${faults}${given.wholeSdk ? ' --whole-sdk' : ''} --print`
}

/** Fresh seeds are not drawn again: they are said one by one where they found something. */
function rerunOf({ seeds }: Arguments): string {
  const [first = 1] = seeds
  if (seeds.length === 1) return `npm run simulate -- --seed ${first}`
  return `npm run simulate -- --from ${first} --seeds ${seeds.length}`
}

/** What this process has taken of the machine's cores; unlike the clock, it does not count who else works here. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return undefined // not a checkout
  }
}
