/**
 * Runs Stryker over functions/election, and judges its report: enough mutants killed, a reason for each survivor. Left
 * out are testing/, what stands around the election (servers, and the adapters to other libraries), and static mutants,
 * which run when a module loads: each would need the whole suite. Stryker reuses results of mutants whose code and
 * tests did not change since its last run, from reports/mutants.json.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import type { Outcome } from '../page.ts'
import { SURVIVORS } from './survivors.ts'

const STRYKER = ['node_modules/.bin/stryker', 'run', 'test/proof/mutation/stryker.config.json'] as const
const REPORT = 'reports/mutation.json'
const LEAST_KILLED_PERCENT = 97
const KILLED: readonly string[] = ['Killed', 'Timeout', 'RuntimeError']
const SURVIVED: readonly string[] = ['Survived', 'NoCoverage']

/** @see https://github.com/stryker-mutator/mutation-testing-elements/tree/master/packages/report-schema */
export interface StrykerReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>>
}

interface StrykerMutant {
  readonly replacement?: string
  readonly status: string
  /** Lines and columns count from 1. */
  readonly location: Readonly<Record<'start' | 'end', { readonly line: number; readonly column: number }>>
}

export async function runStryker(signal: AbortSignal): Promise<Outcome> {
  const startedMs = performance.now()
  rmSync(REPORT, { force: true })
  const [program, ...args] = STRYKER
  const stryker = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const stop = () => stryker.kill('SIGINT')
  signal.addEventListener('abort', stop)
  const [exitCode] = await once(stryker, 'exit')
  signal.removeEventListener('abort', stop)
  const seconds = (performance.now() - startedMs) / 1_000
  const base = { part: 'mutants', seconds, figures: [], seenToBreak: [] }
  if (exitCode !== 0) return { ...base, failures: [`Stryker ended with exit code ${exitCode}`] }
  return { ...base, ...judge(JSON.parse(readFileSync(REPORT, 'utf8')), SURVIVORS) }
}

type Judged = Pick<Outcome, 'failures' | 'figures'>

export function judge({ files }: StrykerReport, reasons: typeof SURVIVORS): Judged {
  const mutants = Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map((mutant) => ({ name: nameOf(file, source, mutant), status: mutant.status })),
  )
  const killed = mutants.filter(({ status }) => KILLED.includes(status)).length
  const survivors = mutants.filter(({ status }) => SURVIVED.includes(status))
  const percent = (100 * killed) / (killed + survivors.length)
  // One file may have the same change several times: each needs a reason of its own.
  const unused = Object.values(reasons).flat()
  const unexplained = survivors.filter(({ name }) => {
    const at = unused.indexOf(name)
    if (at !== -1) unused.splice(at, 1)
    return at === -1
  })
  const failures = unexplained.map(({ name }) => `survived without a reason: ${name}`)
  if (!(percent >= LEAST_KILLED_PERCENT)) {
    failures.push(`${percent.toFixed(2)} of 100 mutants are killed, ${LEAST_KILLED_PERCENT} are required`)
  }
  const counts = { killed, survived: survivors.length, 'reasons that no survivor needs': unused.join('; ') || 'none' }
  return { failures, figures: [{ ...counts, 'killed of 100': percent.toFixed(2) }] }
}

/** What it changes, and not where: lines move. As in 'rules.ts: holder !== undefined → true'. */
function nameOf(file: string, source: string, { location, replacement = '' }: StrykerMutant): string {
  const { start, end } = location
  const lines = source.split('\n').slice(start.line - 1, end.line)
  lines.push((lines.pop() ?? '').slice(0, end.column - 1))
  const original = lines.join('\n').slice(start.column - 1)
  return `${file.replace('functions/election/', '')}: ${original} → ${replacement}`.replaceAll(/\s+/g, ' ')
}
