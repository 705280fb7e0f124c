/** `npm run fuzz`: hostile and nearly valid input for everything that reads what comes from outside. */
import { randomInt } from 'node:crypto'
import { Command, InvalidArgumentError } from 'commander'
import { type Part, writePart } from '../part.ts'
import type { Exploration } from './target.ts'
import { TARGETS } from './targets.ts'

const QUICK_RUNS = 600
const RUNS = 10_000

const { quick, seed, runs, only, json } = new Command('npm run fuzz --')
  .description('Gives hostile and nearly valid input to all that reads what comes from outside.')
  .option(
    '--quick',
    `${QUICK_RUNS} inputs for each reader, about half a minute (default: ${RUNS}, some minutes)`,
    false,
  )
  .option('--runs <number>', 'how many inputs for each reader', wholeNumber)
  .option('--seed <number>', 'the same inputs again (default: others each time)', wholeNumber, randomInt(2 ** 31))
  .option('--only <name>', 'only readers whose name has this in it', '')
  .option('--json <file>', 'writes what was found as JSON')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{
    readonly quick: boolean
    readonly seed: number
    readonly runs?: number
    readonly only: string
    readonly json?: string
  }>()

const targets = TARGETS.filter(({ name }) => name.includes(only))
if (targets.length === 0) {
  process.stderr.write(`No reader is named like "${only}". There are: ${TARGETS.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}
const startedMs = performance.now()
const numRuns = runs ?? (quick ? QUICK_RUNS : RUNS)
const found: Exploration[] = []
for (const [n, target] of targets.entries()) {
  process.stderr.write(`${n + 1} of ${targets.length}: ${target.name}\n`)
  const exploration = await target.explore({ seed, runs: numRuns })
  found.push(exploration)
  process.stdout.write(`${sentence(exploration)}\n`)
}

const inputs = found.reduce((total, { accepted, refused }) => total + accepted + refused, 0)
const broken = found.flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, ...problem }]))
const part: Part = {
  title: 'Fuzzing',
  rerun: `npm run fuzz -- --seed ${seed} --runs ${numRuns}`,
  passed: broken.length === 0,
  seconds: (performance.now() - startedMs) / 1_000,
  summary:
    `${counted(inputs)} hostile or nearly valid inputs for ${found.length} readers of events, options, rows, answers, files and ` +
    `flags: ${broken.length === 0 ? 'each was read as documented or refused with a documented error that names it' : `${broken.length} readers did something else`}.`,
  tables: [
    {
      caption: 'What each reader made of its inputs',
      columns: ['input', 'accepted', 'refused', 'with', 'longest, ms of computing'],
      rows: found.map(({ name, accepted, refused, refusals, slowestMs }) => [
        name,
        accepted,
        refused,
        [...refusals.keys()].join(', '),
        Math.round(slowestMs),
      ]),
    },
  ],
  notes: ['What a reader does with what it accepted is shown by the other parts.'],
  failures: broken.map(({ name, what, input }) => ({ what: `${name}: ${what}`, trace: [`The input is ${input}`] })),
}
process.stdout.write(`\n${part.summary}\nAgain: ${part.rerun}\n`)
if (json !== undefined) writePart(json, part)
process.exitCode = part.passed ? 0 : 1

function sentence({ name, accepted, refused, problem }: Exploration): string {
  if (problem === undefined) return `${name}: ${counted(accepted)} accepted, ${counted(refused)} refused`
  return `${name}: FAILED, ${problem.what}\n  The input is ${problem.input}`
}

function counted(number: number): string {
  return number.toLocaleString('en')
}

function wholeNumber(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number.')
}
