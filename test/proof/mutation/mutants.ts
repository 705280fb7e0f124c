/** Runs Stryker over functions/election, and judges its report: enough mutants killed, a reason for each survivor. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import type { Outcome } from '../page.ts'
import { SURVIVORS } from './survivors.ts'

const STRYKER = ['node_modules/.bin/stryker', 'run', 'test/proof/mutation/stryker.config.json'] as const
const REPORT = 'reports/mutation.json'
const LEAST_KILLED_PERCENT = 97
const VERDICTS: Readonly<Record<string, Mutant['verdict']>> = {
  Killed: 'killed',
  Timeout: 'killed',
  RuntimeError: 'killed',
  Survived: 'survived',
  NoCoverage: 'survived',
  Ignored: 'ignored',
}

/** @see https://github.com/stryker-mutator/mutation-testing-elements/tree/master/packages/report-schema */
export interface StrykerReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>>
}

interface StrykerMutant {
  readonly replacement?: string
  readonly status: string
  /** Lines and columns count from 1. */
  readonly location: { readonly start: Place; readonly end: Place }
}

interface Place {
  readonly line: number
  readonly column: number
}

interface Mutant {
  /** What it changes, and not where: lines move. As in 'rules.ts: holder !== undefined → true'. */
  readonly name: string
  readonly verdict: 'killed' | 'survived' | 'ignored'
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
  const { outdated, ...judged } = judge(JSON.parse(readFileSync(REPORT, 'utf8')), SURVIVORS)
  for (const name of outdated) process.stdout.write(`No survivor needs this reason any more: ${name}\n`)
  return { ...base, ...judged }
}

export function judge(
  report: StrykerReport,
  reasons: typeof SURVIVORS,
): Pick<Outcome, 'failures' | 'figures'> & { readonly outdated: readonly string[] } {
  const mutants = mutantsOf(report)
  const count = (verdict: Mutant['verdict']) => mutants.filter((mutant) => mutant.verdict === verdict).length
  const [killed, survived, ignored] = [count('killed'), count('survived'), count('ignored')]
  const percent = (100 * killed) / (killed + survived)
  // One file may have the same change several times: each needs a reason of its own.
  const outdated = Object.values(reasons).flat()
  const unexplained = mutants.filter(({ name, verdict }) => {
    if (verdict !== 'survived') return false
    const at = outdated.indexOf(name)
    if (at !== -1) outdated.splice(at, 1)
    return at === -1
  })
  const failures = unexplained.map(({ name }) => `survived without a reason: ${name}`)
  if (!(percent >= LEAST_KILLED_PERCENT)) {
    failures.push(`${percent.toFixed(2)} of 100 mutants are killed, ${LEAST_KILLED_PERCENT} are required`)
  }
  const figures = [
    {
      ...{ killed, survived, explained: survived - unexplained.length },
      ...{ 'of the wording of an error, ignored': ignored, 'killed of 100': percent.toFixed(2) },
    },
  ]
  return { failures, figures, outdated }
}

export function mutantsOf({ files }: StrykerReport): readonly Mutant[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants.map(({ location, replacement = '', status }) => {
      const verdict = VERDICTS[status]
      if (verdict === undefined) throw new RangeError(`Stryker reports a mutant as ${status}, which is no verdict`)
      const original = oneLine(between(lines, location.start, location.end))
      return { name: `${file.replace('functions/election/', '')}: ${original} → ${oneLine(replacement)}`, verdict }
    })
  })
}

function between(lines: readonly string[], start: Place, end: Place): string {
  const text = lines.slice(start.line - 1, end.line)
  text.push((text.pop() ?? '').slice(0, end.column - 1))
  return text.join('\n').slice(start.column - 1)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
