import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { inTurns, ratioOf, rounded, show } from '../measure.ts'
import { createTables, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'

const SUBJECTS: readonly Subject[] = [
  'bare SDK',
  'bare SDK, same expressions',
  'withLease',
  'leaderOnly',
  'Powertools idempotency',
  'dynamodb-lock-client',
  '@deliveryhero/dynamodb-lock',
]
const SAME = 'bare SDK, same expressions'

/** The requests of `withLease`, for the bare SDK to send. */
export async function expressionsOf(bench: Bench): Promise<string> {
  using server = new Server('double')
  const variables = await server.variables('expressions')
  await createTables(await server.endpoint)
  await server.traffic()
  using runner = new Runner(bench.bundle('withLease').file, variables)
  await runner.run(1)
  const { bodies } = await server.traffic()
  return `[${bodies.join(', ')}]`
}

/** One candidate acquires and completes, over and over; a server in another process gives the same answer to all. */
export async function cycles(bench: Bench): Promise<Result> {
  const [rounds, perRound] = bench.isQuick ? [7, 200] : [31, 500]
  using server = new Server('canned')
  const variables = { ...(await server.variables('cycles')), BENCH_EXPRESSIONS: await expressionsOf(bench) }
  using runners = new DisposableStack()
  const running = new Map<Subject, Runner>()
  for (const subject of SUBJECTS) {
    const runner = runners.use(new Runner(bench.bundle(subject).file, variables))
    await runner.run(perRound * 3) // warms up
    running.set(subject, runner)
  }
  const samples = await inTurns(SUBJECTS, rounds, async (subject) => {
    bench.checkInterrupt()
    const costs = await running.get(subject)?.run(perRound)
    return costs ?? { ms: Number.NaN, cpuMs: Number.NaN, rssMB: Number.NaN }
  })
  const rate = (name: Subject, base: Subject) => ratioOf(of(base, 'ms'), of(name, 'ms'))
  const cpu = (name: Subject, base: Subject) => ratioOf(of(name, 'cpuMs'), of(base, 'cpuMs'))
  const of = (name: Subject, cost: 'ms' | 'cpuMs') => samples(name).map((costs) => costs[cost])
  return {
    title: 'Cycles of acquire and complete',
    tables: [
      {
        about:
          'Cycles per second and CPU per cycle of one candidate after the other in one process, as ratios to the bare SDK: ' +
          `with the same expressions as Tenure, and with the least that elects. ${rounds} rounds of ${perRound} cycles ` +
          'against a server in another process, whose answer is always the same.',
        columns: ['handler', 'rate', 'CPU', 'rate, least expressions', 'CPU, least expressions'],
        rows: SUBJECTS.map((name) => [
          name,
          ...[rate(name, SAME), cpu(name, SAME), rate(name, 'bare SDK'), cpu(name, 'bare SDK')].map((of) => show(of)),
        ]),
      },
    ],
    plots: [
      {
        file: 'cycles.svg',
        title: 'CPU per cycle, ratio to the bare SDK with the same expressions',
        bars: SUBJECTS.map((label) => ({ label, value: cpu(label, SAME) })),
      },
    ],
    json: { ratio: rounded(rate('withLease', SAME)), cpuRatio: rounded(cpu('withLease', SAME)) },
  }
}
