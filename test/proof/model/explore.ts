/** `npm run model`: every order of events in small worlds, under the shipped rules. Exit code 1 where a claim breaks. */
import { Command } from 'commander'
import { writePart } from '../part.ts'
import { exploreAll } from './pool.ts'
import { linesOf, partOf } from './report.ts'
import { fullWorlds, quickWorlds } from './worlds.ts'

const THREADS = 2
const PROGRESS_EVERY_MS = 2_000

const { quick, json } = new Command('npm run model --')
  .description(
    'Explores every order of events in small worlds: candidates that crash, sleep and have wrong clocks, and requests that are lost, doubled and delayed. Under three minutes on two cores, and less than 3 GB.',
  )
  .option('--quick', 'smaller worlds: about ten seconds', false)
  .option('--json <file>', 'write what was found as JSON')
  .allowExcessArguments(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ readonly quick: boolean; readonly json?: string }>()

const worlds = quick ? quickWorlds() : fullWorlds()
const startedMs = performance.now()
let toldMs = startedMs
const explored = await exploreAll(worlds, { threads: THREADS, onProgress })
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
const part = partOf({
  explored,
  worlds: worlds.length,
  quick,
  seconds: (performance.now() - startedMs) / 1000,
  cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  memoryMb: Math.round(maxRSS / 1000),
})
for (const line of linesOf(part)) process.stdout.write(`${line}\n`)
if (json !== undefined) writePart(json, part)
process.exitCode = part.passed ? 0 : 1

function onProgress(done: number, states: number): void {
  const nowMs = performance.now()
  if (nowMs - toldMs < PROGRESS_EVERY_MS) return
  toldMs = nowMs
  const seconds = Math.round((nowMs - startedMs) / 1000)
  process.stderr.write(`${done} of ${worlds.length} worlds, ${states.toLocaleString('en-US')} states, ${seconds} s\n`)
}
