import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { inTurns, ratioOf, rounded, type Spread, show } from '../measure.ts'
import { createTables, Runner, Server, type Start, startOnce, type Variables } from '../processes.ts'
import type { Result } from '../report.ts'

const WINNERS: readonly Subject[] = [
  'bare SDK',
  'withLease',
  'leaderOnly',
  'Powertools idempotency',
  'dynamodb-lock-client',
  '@deliveryhero/dynamodb-lock',
  'Node alone',
]
/** dynamodb-lock-client waits until the lease is over, before it loses. */
const LOSERS: readonly Subject[] = WINNERS.filter((subject) => subject !== 'dynamodb-lock-client')

/** From the start of a process to the verdict of its handler, which talks to a DynamoDB in memory in another process. */
export async function coldStart(bench: Bench): Promise<Result> {
  using server = new Server('double')
  await createTables(await server.endpoint)
  const rounds = bench.isQuick ? 5 : 25
  const start = async (subject: Subject, expected: string, variables: Variables) => {
    bench.checkInterrupt()
    const verdict = await startOnce(bench.bundle(subject).file, variables)
    if (verdict.status === expected || subject === 'Node alone') return verdict
    throw new Error(`${subject} is ${verdict.status}, not ${expected}`)
  }
  const won = await inTurns(WINNERS, rounds, async (subject, round) =>
    start(subject, 'completed', await server.variables(`won/${subject.replaceAll(/\W/g, '')}/${round}`)),
  )
  const holders = new DisposableStack()
  using _ = holders
  const held = new Map<Subject, Variables>()
  for (const subject of LOSERS) {
    const lease = `held/${subject.replaceAll(/\W/g, '')}`
    held.set(subject, await server.variables(lease))
    if (subject === 'Node alone') continue
    const holder = holders.use(new Runner(bench.bundle(subject).file, await server.variables(lease)))
    await holder.hold([lease])
  }
  const lost = await inTurns(LOSERS, rounds, (subject) => start(subject, 'standby', held.get(subject) ?? {}))
  const tables = [
    { about: 'The winner, from the start of its process to the end of its empty task:', of: won, names: WINNERS },
    {
      about: 'The loser, from the start of its process to its verdict, while another process leads:',
      of: lost,
      names: LOSERS,
    },
  ]
  return {
    title: 'Cold start',
    tables: tables.map(({ about, of, names }) => ({
      about: `${about} ratios to the bare SDK, ${rounds} starts each, bundled by \`HandlerFunction\`, against a DynamoDB in memory.`,
      columns: ['handler', 'time', 'without the start of Node', 'CPU', 'peak memory'],
      rows: names.map((name) => [
        name,
        ...(['ms', 'loadMs', 'cpuMs', 'rssMB'] as const).map((cost) => show(ratio(of, name, cost))),
      ]),
    })),
    plots: [plot('winner', won, WINNERS), plot('loser', lost, LOSERS)],
    json: {
      winner: rounded(ratio(won, 'leaderOnly', 'ms')),
      loser: rounded(ratio(lost, 'leaderOnly', 'ms')),
      winnerCpu: rounded(ratio(won, 'leaderOnly', 'cpuMs')),
      loserCpu: rounded(ratio(lost, 'leaderOnly', 'cpuMs')),
    },
  }
}

type Samples = (name: Subject) => readonly Start[]

function ratio(of: Samples, name: Subject, cost: 'ms' | 'loadMs' | 'cpuMs' | 'rssMB'): Spread {
  const values = (subject: Subject) => of(subject).map((verdict) => verdict[cost])
  return ratioOf(values(name), values('bare SDK'))
}

function plot(role: string, of: Samples, names: readonly Subject[]) {
  const bars = names.map((label) => ({ label, value: ratio(of, label, 'ms') }))
  return { file: `cold-start-${role}.svg`, title: `Cold start of a ${role}, ratio to the bare SDK`, bars }
}
