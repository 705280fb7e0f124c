import type { Bench } from '../bench.ts'
import { PEERS, type Subject, TENURE } from '../bundles.ts'
import { costRatio, inTurns, ratioOf, rounded, show } from '../measure.ts'
import { type Costs, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'

const SAME = 'bare SDK, same expressions'
const LEAST = 'bare SDK'
/** Cycles before the first round: the code is optimized by then. */
const WARM_UP = 1_500
const CYCLING: readonly Subject[] = [LEAST, SAME, ...TENURE, ...PEERS]

/** The requests of `withLease`, for the bare SDK to send. */
export async function expressionsOf(bench: Bench): Promise<{ readonly BENCH_EXPRESSIONS: string }> {
  using server = await Server.start('double')
  await server.traffic()
  using runner = Runner.of(bench.bundle('withLease').file, await server.variables('expressions'))
  await runner.run(1)
  const { bodies } = await server.traffic()
  return { BENCH_EXPRESSIONS: `[${bodies.join(', ')}]` }
}

/** One candidate acquires and completes, over and over. */
export async function cycles(bench: Bench): Promise<Result> {
  const [rounds, perRound] = bench.isQuick ? [5, 100] : [31, 400]
  using server = await Server.start('canned')
  const variables = { ...(await server.variables('cycles')), ...(await expressionsOf(bench)) }
  using runners = new DisposableStack()
  const running = new Map<Subject, () => Promise<Costs>>()
  for (const subject of CYCLING) {
    const runner = runners.use(Runner.of(bench.bundle(subject).file, variables))
    await runner.run(WARM_UP)
    running.set(subject, () => runner.run(perRound))
  }
  const samples = await inTurns(rounds, running)
  const ms = (name: Subject) => samples(name).map((costs) => costs.ms)
  const rate = (name: Subject, base: Subject) => ratioOf(ms(base), ms(name))
  const cpu = (name: Subject, base: Subject) => costRatio(samples, name, base, 'cpuMs')
  return {
    title: 'Cycles of acquire and complete',
    tables: [
      {
        about:
          'Cycles per second and CPU per cycle of one candidate after the other in one process, ' +
          'as ratios to the bare SDK: with the same expressions as Tenure, and with the least that elects. ' +
          `${rounds} rounds of ${perRound} cycles ` +
          'against a server in another process, whose answer is always the same.',
        columns: ['handler', 'rate', 'CPU', 'rate, least expressions', 'CPU, least expressions'],
        rows: CYCLING.map((name) => [
          name,
          ...[rate(name, SAME), cpu(name, SAME), rate(name, LEAST), cpu(name, LEAST)].map((of) => show(of)),
        ]),
      },
    ],
    plots: [
      {
        file: 'cycles.svg',
        title: 'CPU per cycle, ratio to the bare SDK with the same expressions',
        bars: CYCLING.map((label) => ({ label, value: cpu(label, SAME) })),
      },
    ],
    json: { ratio: rounded(rate('withLease', SAME)), cpuRatio: rounded(cpu('withLease', SAME)) },
  }
}
