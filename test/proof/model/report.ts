/** What an exploration of all worlds has shown: as a Part of the proof, and as lines for people. */
import type { Claim } from '../claims.ts'
import type { Failure, Part, Table } from '../part.ts'
import type { Breach } from './explorer.ts'
import type { Explored } from './pool.ts'
import { type Counts, MOVES, SITUATIONS } from './situations.ts'
import type { World } from './world.ts'

export interface Run {
  readonly explored: readonly Explored[]
  /** Worlds that there were to explore: more than were, where a claim broke. */
  readonly worlds: number
  readonly quick: boolean
  readonly seconds: number
  /** Of all threads together. */
  readonly cpuSeconds: number
  readonly memoryMb: number
}

const COUNT = new Intl.NumberFormat('en-US')
const count = (value: number): string => COUNT.format(value)
const total = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0)

export function partOf(run: Run): Part {
  const failures = [...brokenClaims(run), ...missingBreaks(run), ...neverMet(run)]
  return {
    title: 'Model',
    rerun: `npm run model${run.quick ? ' -- --quick' : ''}`,
    passed: failures.length === 0,
    seconds: run.seconds,
    summary: summary(run),
    tables: [worldsTable(run), movesTable(run), situationsTable(run), ...expectedHistories(run)],
    notes: notes(run),
    failures,
    seenToBreak: expectedBreaks(run).map(({ claim, family, breach }) => ({
      claim,
      how: `model: ${family}, in ${events(breach)} steps`,
    })),
  }
}

export function linesOf(part: Part): readonly string[] {
  const [worlds, , , ...histories] = part.tables
  return [
    part.summary,
    '',
    ...(worlds?.rows ?? []).map(
      ([family, , states, , found]) => `  ${family}: ${count(Number(states))} states, ${found}`,
    ),
    ...histories.flatMap(({ caption, rows }) => ['', `${caption}:`, ...rows.map(([n, step]) => `  ${n}. ${step}`)]),
    ...part.failures.flatMap(({ claim, what, trace }) => [
      '',
      `${claim === undefined ? 'FAILED' : `${claim} IS BROKEN`}: ${what}`,
      ...trace.map((step, n) => `  ${n + 1}. ${step}`),
    ]),
    '',
    part.passed
      ? 'Every claim holds, and those that must break where too much is asked of them do.'
      : part.failures.some(({ claim }) => claim !== undefined)
        ? 'A claim is broken: the steps that lead there are above.'
        : 'Not proven: see above.',
  ]
}

function summary({ explored, worlds, seconds, cpuSeconds, memoryMb }: Run): string {
  const states = total(explored.map(({ exploration }) => exploration.states))
  const steps = total(explored.map(({ exploration }) => exploration.steps))
  const depth = Math.max(0, ...explored.map(({ exploration }) => exploration.depth))
  const all = explored.length === worlds ? `all ${worlds}` : `${explored.length} of ${worlds}`
  return `Every order of events in ${all} small worlds, each to its end: ${count(states)} different states, ${count(steps)} steps between them, in ${Math.round(seconds)} s (${Math.round(cpuSeconds)} s of work, at most ${count(memoryMb)} MB). The longest of all shortest ways to a state has ${depth} steps.`
}

function notes({ explored, worlds, quick }: Run): readonly string[] {
  return [
    'States are kept whole and compared whole, so none can be taken for another: no hash stands for a state, and the odds of a collision are nil.',
    'Bounded: what needs more candidates, tenures, faults or time than a world has is not shown. Within its bounds a world is exhausted.',
    'The rules are the shipped functions. What candidates do around them (functions/election/acquire.ts, lease-handle.ts) is mirrored by a small machine of states; the simulation runs that code itself.',
    'Not modelled: pauses, waiting for a held lease, leases without ticks, clocks that jump or drift, transactions that conflict, writes to protected rows without a step.',
    ...(quick ? ['Quick: fewer and smaller worlds, in which some situations do not come about.'] : []),
    ...(explored.length < worlds ? [`${worlds - explored.length} worlds were left out after a claim broke.`] : []),
  ]
}

function brokenClaims({ explored }: Run): readonly Failure[] {
  return explored.flatMap(({ world, exploration }) =>
    exploration.breaches
      .filter(({ claim }) => world.claims.hold.includes(claim))
      .map(({ claim, what, trace }) => ({ claim, what: `${world.family}: ${what}`, trace })),
  )
}

/** A world beyond a claim's precondition in which nothing breaks: the check is blind, or the world too small. */
function missingBreaks({ explored }: Run): readonly Failure[] {
  return explored.flatMap(({ world, exploration: { breaches, exhausted } }) =>
    world.claims.broken
      .filter((claim) => exhausted && breaches.every((breach) => breach.claim !== claim))
      .map((claim) => ({ what: `${world.family}: ${claim} must break there, and did not`, trace: [] })),
  )
}

function neverMet(run: Run): readonly Failure[] {
  if (run.quick || run.explored.length < run.worlds) return []
  return [...movesTable(run).rows, ...situationsTable(run).rows]
    .filter(([, times]) => times === 0)
    .map(([name]) => ({ what: `never came about: ${name}`, trace: [] }))
}

interface ExpectedBreak {
  readonly claim: Claim
  readonly family: string
  readonly breach: Breach
}

/** Of each family and claim the shortest history. */
function expectedBreaks({ explored }: Run): readonly ExpectedBreak[] {
  const shortest = new Map<string, ExpectedBreak>()
  for (const { world, exploration } of explored) {
    for (const breach of exploration.breaches) {
      const { claim } = breach
      if (!world.claims.broken.includes(claim)) continue
      const key = `${claim} ${world.family}`
      const known = shortest.get(key)
      if (known === undefined || events(breach) < events(known.breach)) {
        shortest.set(key, { claim, family: world.family, breach })
      }
    }
  }
  return [...shortest.values()]
}

/** Lines that tell of the row are no steps. */
function events({ trace }: Breach): number {
  return trace.filter((line) => !line.startsWith('the row')).length
}

function expectedHistories(run: Run): readonly Table[] {
  return expectedBreaks(run).map(({ claim, family, breach }) => ({
    caption: `How ${claim} breaks: ${family} (${breach.what})`,
    columns: ['', 'step'],
    rows: breach.trace.map((step, n) => [n + 1, step]),
  }))
}

function worldsTable({ explored }: Run): Table {
  const families = Map.groupBy(explored, ({ world }) => world.family)
  return {
    caption: 'Worlds',
    columns: ['world', 'bounds', 'states', 'steps to the farthest', 'found'],
    rows: [...families].map(([family, members]) => [
      family,
      [...new Set(members.map(({ world }) => boundsOf(world)))].join('; or '),
      total(members.map(({ exploration }) => exploration.states)),
      Math.max(...members.map(({ exploration }) => exploration.depth)),
      verdict(members),
    ]),
  }
}

function verdict(members: readonly Explored[]): string {
  const [first] = members
  if (first === undefined) return ''
  const broken = members.flatMap(({ world, exploration }) =>
    exploration.breaches.filter(({ claim }) => world.claims.hold.includes(claim)).map(({ claim }) => claim),
  )
  if (broken.length > 0) return `${broken.join(', ')} broken`
  const { hold, broken: expected } = first.world.claims
  const holds = `${hold.join(' ')} hold`
  const asMust = expected.filter((claim) =>
    members.every(({ exploration }) => exploration.breaches.some((breach) => breach.claim === claim)),
  )
  return asMust.length === 0
    ? holds
    : `${asMust.join(' ')} ${asMust.length === 1 ? 'breaks as it must' : 'break as they must'}, ${holds}`
}

/** A world's bounds in a line: what may happen there how often. */
function boundsOf(world: World): string {
  const { candidates, leaseMs, maxClockSkewMs, stepMs, horizonMs, faults, interventions, deletions } = world
  const clocks = candidates.map(({ clockMs }) => `${clockMs > 0 ? '+' : ''}${clockMs / 1000}`).join(', ')
  const ticks = candidates.map(({ tick }) => tick).join(', ')
  const tries = candidates.map(({ attempts }) => attempts).join(', ')
  const some = (n: number, what: string) => (n === 0 ? [] : [`${n} ${what}${n === 1 ? '' : 's'} each`])
  const once = (n: number, what: string) => (n === 0 ? [] : [`${n} ${what}${n === 1 ? '' : 's'} in all`])
  return [
    `clocks ${clocks} s for ticks ${ticks} in ${tries} acquires`,
    `B ${maxClockSkewMs / 1000} s, lease ${leaseMs / 1000} s, ${horizonMs / 1000} s in steps of ${stepMs / 1000} s`,
    ...once(faults, 'fault'),
    ...(world.freeDelays ? ['delays at no charge'] : []),
    ...some(world.extensions, world.checkpoints ? 'renewal or checkpoint' : 'renewal'),
    ...some(world.effects, `effect behind the ${world.fencing}`),
    ...once(interventions, 'intervention'),
    ...once(deletions, 'deletion'),
    ...(world.row === 'absent' ? ['no row at first'] : []),
  ].join(', ')
}

function movesTable({ explored }: Run): Table {
  return {
    caption: 'How often each kind of step was taken',
    columns: ['step', 'times'],
    rows: sums(
      MOVES,
      explored.map(({ exploration }) => exploration.taken),
    ),
  }
}

function situationsTable({ explored }: Run): Table {
  return {
    caption: 'How often each situation was met',
    columns: ['situation', 'times'],
    rows: sums(
      SITUATIONS,
      explored.map(({ exploration }) => exploration.seen),
    ),
  }
}

function sums<Name extends string>(
  names: readonly Name[],
  counts: readonly Counts<Name>[],
): readonly (readonly [Name, number])[] {
  return names.map((name) => [name, total(counts.map((each) => each[name] ?? 0))])
}
