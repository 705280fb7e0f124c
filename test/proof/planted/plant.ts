/** `npm run plant`: plants bugs into the shipped code, one at a time, and tells which part of the proof finds each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../../infra/programs/interrupt.ts'
import { type Part, writePart } from '../part.ts'
import { BUGS } from './bugs.ts'
import { DETECTORS } from './detector.ts'
import { type Hunted, hunt } from './hunt.ts'

const { quick, only, by, json } = new Command('npm run plant --')
  .description('Plants bugs into the shipped code, in memory, and tells which part of the proof finds each of them.')
  .option('--quick', 'without the nemesis')
  .option('--only <name>', 'only bugs whose name has this in it', '')
  .addOption(new Option('--by <detector>', 'ask this one alone').choices(DETECTORS.map(({ name }) => name)))
  .option('--json <file>', 'writes what was found as JSON')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ readonly quick?: boolean; readonly only: string; readonly by?: string; readonly json?: string }>()

const bugs = BUGS.filter(({ name }) => name.includes(only))
if (bugs.length === 0) {
  process.stderr.write(`No bug is named like "${only}". There are:\n${BUGS.map(({ name }) => `  ${name}\n`).join('')}`)
  process.exit(2)
}

const startedMs = performance.now()
const detectors = DETECTORS.filter(({ name, isSlow }) => (by === undefined ? quick !== true || !isSlow : name === by))
const directory = await mkdtemp(join(tmpdir(), 'tenure-planted-'))
using interrupt = onInterrupt()
let done = 0
try {
  process.stderr.write(`Each detector first without a bug: ${detectors.map(({ name }) => name).join(', ')}\n`)
  const told = (hunted: Hunted) => void process.stderr.write(`${++done} of ${bugs.length}: ${sentence(hunted)}\n`)
  const hunted = await hunt({ bugs, detectors, directory, signal: interrupt.signal, told })
  const part = partOf(hunted)
  process.stdout.write(`\n${part.summary}\n`)
  for (const { what, trace } of part.failures)
    process.stdout.write(`NOT FOUND ${what}\n${trace.map((line) => `  ${line}\n`).join('')}`)
  if (json !== undefined) writePart(json, part)
  process.exitCode = part.passed ? 0 : 1
} catch (error) {
  if (!interrupt.signal.aborted) throw error
  process.stderr.write('Interrupted.\n')
  process.exitCode = INTERRUPTED_EXIT_CODE
} finally {
  await rm(directory, { recursive: true, force: true })
}

function partOf(hunted: readonly Hunted[]): Part {
  const found = hunted.filter(({ by }) => by !== undefined)
  const missed = hunted.filter(({ by }) => by === undefined)
  const byWhom = detectors.map(({ name }) => `${found.filter(({ by }) => by?.name === name).length} by the ${name}`)
  return {
    title: 'Planted bugs',
    rerun: `npm run plant${quick === true ? ' -- --quick' : ''}`,
    passed: missed.length === 0,
    seconds: (performance.now() - startedMs) / 1_000,
    summary: `${found.length} of ${hunted.length} bugs that were planted into the shipped code were found: ${byWhom.join(', ')}. Without a bug each of these passes.`,
    tables: [
      {
        caption: 'Planted bugs, each found by the first that sees it',
        columns: ['bug', 'found by', 'claim', 'seconds', 'what was seen'],
        rows: hunted.map(({ bug, by, verdict, seconds }) => [
          bug.name,
          by?.name ?? 'nobody',
          verdict?.kind === 'found' ? (verdict.claim ?? '') : '',
          Math.round(seconds),
          verdict?.kind === 'found' ? verdict.what : '',
        ]),
      },
    ],
    notes: [
      'A bug counts as found where a claim is seen broken, or a history shows what must not be; not where a tool breaks down.',
    ],
    seenToBreak: found.flatMap(({ bug, by, verdict }) =>
      verdict?.kind === 'found' && verdict.claim !== undefined
        ? [{ claim: verdict.claim, how: `${bug.name} (${by?.name})` }]
        : [],
    ),
    failures: missed.map(({ bug, crashes }) => ({ what: `${bug.name}: ${bug.why}`, trace: crashes })),
  }
}

function sentence({ bug, by, verdict, seconds, crashes }: Hunted): string {
  const took = `${Math.round(seconds)} s`
  if (by === undefined) {
    return `${bug.name}: NOT FOUND (${took})${crashes.length === 0 ? '' : `, ${crashes.length} broke down`}`
  }
  const claim = verdict?.kind === 'found' ? (verdict.claim ?? 'no claim') : ''
  return `${bug.name}: found by the ${by.name}, ${claim} (${took})`
}
