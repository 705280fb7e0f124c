/** `npm run mutate`: changes the coordinator's code in some two thousand ways, and tells which of them its tests find. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Command } from 'commander'
import { writePart } from '../part.ts'
import { partOf } from './part.ts'
import type { StrykerReport } from './report.ts'
import survivors from './survivors.json' with { type: 'json' }

const STRYKER = 'node_modules/.bin/stryker'
const CONFIG = 'test/proof/mutation/stryker.config.json'
const REPORT = 'reports/mutation.json'

const { incremental, report, concurrency, json } = new Command('npm run mutate --')
  .description('Changes the code of the coordinator in small ways, one at a time, and tells which its tests find.')
  .option('--incremental', 'runs again only what an earlier such run cannot tell', false)
  .option('--report <file>', "judges a JSON report of Stryker's that is there, and runs nothing")
  .option('--concurrency <number>', 'how many at a time (default: 2)')
  .option('--json <file>', 'writes what was found as JSON')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{
    readonly incremental: boolean
    readonly report?: string
    readonly concurrency?: string
    readonly json?: string
  }>()

const startedMs = performance.now()
if (report === undefined) await runStryker()
else if (!existsSync(report)) {
  process.stderr.write(`There is no file ${report}\n`)
  process.exit(2)
}
const judged: StrykerReport = JSON.parse(readFileSync(report ?? REPORT, 'utf8'))
const part = partOf(judged, survivors, {
  rerun: `npm run mutate${report === undefined ? '' : ` -- --report ${report}`}`,
  seconds: (performance.now() - startedMs) / 1_000,
})
for (const { what, trace } of part.failures) {
  process.stdout.write(`FAILED ${what}\n${trace.map((line) => `  ${line}\n`).join('')}`)
}
process.stdout.write(`${part.notes.map((line) => `${line}\n`).join('')}\n${part.summary}\n`)
if (json !== undefined) writePart(json, part)
process.exitCode = part.passed ? 0 : 1

/** Its progress goes to where ours does. */
async function runStryker(): Promise<void> {
  await rm(REPORT, { force: true })
  const flags = [
    ...(incremental ? ['--incremental'] : []),
    ...(concurrency === undefined ? [] : ['--concurrency', concurrency]),
  ]
  const stryker = spawn(STRYKER, ['run', CONFIG, ...flags], { stdio: ['ignore', process.stderr, process.stderr] })
  const [exitCode] = await once(stryker, 'exit')
  if (exitCode === 0 && existsSync(REPORT)) return
  process.stderr.write(`Stryker did not finish (exit code ${exitCode}); what it says is above.\n`)
  process.exit(1)
}
