/**
 * `npm run proof`: runs the parts of the proof one after the other. It keeps the outcome of each part that ran in full,
 * and writes docs/proof.md from them, so that a part can be run again alone.
 */
// @ts-nocheck

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { createVitest, type Vitest } from 'vitest/node'
import { OptionError, readFlags } from '../../infra/programs/flags.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/programs/interrupt.ts'
import { runStryker } from './mutation/mutants.ts'
import { type KeptOutcome, type Outcome, page, summary } from './page.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = 'docs/proof.md'
const KEPT = join(ROOT, 'reports/proof')
/** In the order in which they find a fault soonest. All but the last are projects of vitest. */
const PARTS = ['model', 'simulation', 'fuzz', 'nemesis', 'planted', 'mutants'] as const
type Part = (typeof PARTS)[number]

interface Flags {
  readonly quick?: boolean
  readonly seed?: string
  readonly seeds?: string
}

const command = new Command('npm run proof --')
  .description(
    `Runs the proof, or the parts that are named. Without --quick, it writes ${PAGE} from the last run of each part.`,
  )
  .addArgument(new Argument('[parts...]', 'default: all; with --quick all but mutants').choices(PARTS))
  .option('--quick', 'smaller bounds and fewer seeds: at most four minutes on two cores')
  .option('--seed <n>', 'repeats a run of fuzz or nemesis; the first seed of simulation', wholeNumber)
  .option('--seeds <n>', 'how many seeds simulation runs', wholeNumber)
process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  try {
    const given = readFlags<Flags>(command, argv)
    if (given.kind === 'help') process.stdout.write(given.text)
    return given.kind === 'help' ? 0 : await prove(given.flags)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function prove({ quick = false, seed, seeds }: Flags): Promise<number> {
  using interrupt = onInterrupt()
  const all = PARTS.filter((part) => !quick || part !== 'mutants')
  const parts = command.args.length === 0 ? all : PARTS.filter((part) => command.args.includes(part))
  const provenCommit = commit() // before the run: the tree may change while it lasts
  if (quick) process.env['PROOF_QUICK'] = '1'
  if (seed !== undefined) process.env['PROOF_SEED'] = seed
  if (seeds !== undefined) process.env['PROOF_SEEDS'] = seeds
  const outcomes: Outcome[] = []
  for (const part of parts) {
    process.stdout.write(`\n${part}: started\n`)
    const outcome = await (part === 'mutants' ? runStryker(interrupt.signal) : runProject(part, interrupt.signal))
    if (interrupt.signal.aborted) return INTERRUPTED_EXIT_CODE
    outcomes.push(outcome)
    process.stdout.write(`${summary(outcome)}\n`)
    if (!quick && seed === undefined && seeds === undefined) keep({ ...outcome, commit: provenCommit })
  }
  const kept = PARTS.flatMap((part) => keptOutcome(part) ?? [])
  if (kept.length > 0 && !quick) {
    const missing = PARTS.filter((part) => !kept.some((outcome) => outcome.part === part))
    const date = new Date().toISOString().slice(0, 10)
    const machine = `${availableParallelism()} cores, Node.js ${process.versions.node}`
    writeFileSync(join(ROOT, PAGE), page(kept, `on ${date}, ${machine}`, missing))
    process.stdout.write(`\nThe result is in ${PAGE}\n`)
  }
  return outcomes.every(({ failures }) => failures.length === 0) ? 0 : 1
}

async function runProject(part: Part, signal: AbortSignal): Promise<Outcome> {
  const startedMs = performance.now()
  const vitest = await createVitest({ root: ROOT, project: [part], watch: false })
  const cancel = () => void vitest.cancelCurrentRun('keyboard-input')
  signal.addEventListener('abort', cancel)
  try {
    await vitest.start()
    return { part, seconds: (performance.now() - startedMs) / 1_000, ...resultsOf(vitest) }
  } finally {
    signal.removeEventListener('abort', cancel)
    await vitest.close()
  }
}

/** Vitest prints the failures itself; here they count. */
function resultsOf(vitest: Vitest): Omit<Outcome, 'part' | 'seconds'> {
  const modules = vitest.state.getTestModules()
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const failed = tests.filter((test) => test.result().state !== 'passed').map(({ fullName }) => fullName)
  const broken = modules.filter((module) => module.errors().length > 0).map(({ relativeModuleId }) => relativeModuleId)
  const unhandled = vitest.state.getUnhandledErrors().map(() => 'an unhandled error')
  const failures = [...failed, ...broken, ...unhandled, ...(tests.length === 0 ? ['no test ran'] : [])]
  const figures = tests.map((test) => test.meta().figures ?? {})
  return { failures, figures, seenToBreak: tests.flatMap((test) => test.meta().seenToBreak ?? []) }
}

function keep(outcome: KeptOutcome): void {
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(join(KEPT, `${outcome.part}.json`), JSON.stringify(outcome))
}

function keptOutcome(part: Part): KeptOutcome | undefined {
  try {
    return JSON.parse(readFileSync(join(KEPT, `${part}.json`), 'utf8'))
  } catch {
    return undefined // it has not run here yet
  }
}

function wholeNumber(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text
  throw new InvalidArgumentError('Give a whole number.')
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', '.', `:!${PAGE}`) !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`
}
