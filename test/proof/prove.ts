/**
 * `npm run prove`: every part of the proof, one after the other, and one report of them all, docs/proof.md. With `--quick` in
 * at most five minutes, printed and not kept.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Part } from './part.ts'
import { holds, isBroken, type Result, report, seconds, unseen } from './report.ts'

const ROOT = join(import.meta.dirname, '../..')
const REPORT = 'docs/proof.md'

interface PartCommand {
  readonly title: string
  readonly script: string
  readonly quick: boolean
}

/** In the order in which a fault is told soonest. */
const PARTS: readonly PartCommand[] = [
  { title: 'Model', script: 'model', quick: true },
  { title: 'Simulation', script: 'simulate', quick: true },
  { title: 'Fuzzing', script: 'fuzz', quick: true },
  { title: 'Nemesis', script: 'nemesis', quick: true },
  { title: 'Planted bugs', script: 'plant', quick: true },
  { title: 'Mutants', script: 'mutate', quick: false },
]

const options = new Command('npm run prove --')
  .description(
    'Runs the whole proof and writes docs/proof.md. Takes about half an hour; with --quick at most five minutes.',
  )
  .option('--quick', 'smaller bounds, fewer seeds, no mutants of every line; prints its report and keeps none')
  .option('--mutants <file>', "judge this JSON report of Stryker's, of an earlier run, instead of running it")
  .option('--report <file>', `where to write the report (default: ${REPORT}; with --quick nowhere)`)
  .parse()
  .opts<{ readonly quick?: boolean; readonly report?: string; readonly mutants?: string }>()

const quick = options.quick === true
const provenCommit = commit() // by the time that all is done, the tree may be another
const directory = await mkdtemp(join(tmpdir(), 'tenure-proof-'))
const results: Result[] = []
try {
  const parts = PARTS.filter((part) => part.quick || !quick)
  for (const [n, part] of parts.entries()) {
    process.stderr.write(`\n${n + 1} of ${parts.length}: ${part.title}\n`)
    const result = await run(part)
    results.push(result)
    process.stdout.write(`${part.title}, ${seconds(result.seconds)}: ${sentence(result)}\n`)
  }
} finally {
  await rm(directory, { recursive: true })
}

const text = `${report(results, {
  commit: provenCommit,
  date: new Date().toISOString().slice(0, 10),
  machine: `${availableParallelism()} cores, Node.js ${process.versions.node}`,
  command: quick ? 'npm run prove -- --quick' : 'npm run prove',
})}\n`
const file = options.report ?? (quick ? undefined : join(ROOT, REPORT))
if (file !== undefined) {
  writeFileSync(file, text)
  process.stdout.write(`\nThe report is in ${file}\n`)
}
for (const claim of unseen(results)) process.stdout.write(`${claim}: nothing was seen to break it.\n`)
process.exitCode = holds(results) && unseen(results).length === 0 ? 0 : 1

/** A part is a process of its own: what it patches or leaks ends with it, and it is what a reader reruns. */
async function run({ title, script }: PartCommand): Promise<Result> {
  const file = join(directory, `${script}.json`)
  const earlier = script === 'mutate' && options.mutants !== undefined ? ['--report', options.mutants] : []
  const flags = [...(quick ? ['--quick'] : []), ...earlier, '--json', file]
  const startedMs = performance.now()
  const child = spawn('npm', ['run', '--silent', script, '--', ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const [exitCode]: (number | undefined)[] = await once(child, 'close')
  const took = (performance.now() - startedMs) / 1000
  if (existsSync(file)) {
    const part: Part = JSON.parse(readFileSync(file, 'utf8'))
    if (exitCode !== 0) process.stdout.write(said)
    // A report that says "passed" beside an exit code that does not is no proof.
    return { ...part, title, seconds: took, passed: part.passed && exitCode === 0 }
  }
  process.stdout.write(said)
  return { title, rerun: `npm run ${script}${quick ? ' -- --quick' : ''}`, seconds: took, exitCode }
}

function sentence(result: Result): string {
  if (isBroken(result)) return `no report, exit code ${result.exitCode}`
  const failed = result.failures.map(({ claim, what }) => `\n  ${claim ?? 'failed'}: ${what}`).join('')
  return `${result.passed ? '' : 'FAILED. '}${result.summary}${failed}`
}

function commit(): string | undefined {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim()
    const changed = git('status', '--porcelain', '--', '.', `:!${REPORT}`)
    return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ', changed since'}`
  } catch {
    return undefined // not a repository, or no git
  }
}
