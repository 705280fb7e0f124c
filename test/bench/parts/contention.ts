import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { costRatio, inTurns, rounded, show } from '../measure.ts'
import { type Costs, Runner, Server, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'
import { expressionsOf } from './cycles.ts'

const FLOOR = 'bare SDK, same expressions'
const CONTENDING: readonly Subject[] = [FLOOR, 'bare SDK', 'withLease', 'leaderOnly', 'Powertools idempotency']
const IN_JSON = 50
/** Candidates before the first round. */
const WARM_UP = 400

/** The losers of lock clients wait, so they are left out. */
export async function contention(bench: Bench): Promise<Result> {
  const sizes = bench.isQuick ? [2, IN_JSON] : [2, 10, IN_JSON, 200, 2_000]
  const endpoint = await bench.dynamodbLocal()
  const expressions = await expressionsOf(bench)
  using server = await Server.start('double')
  const counted = await server.endpoint
  const rows: string[][] = []
  let json = {}
  for (const size of sizes) {
    const rounds = bench.isQuick || size > 500 ? 5 : 15
    using runners = new DisposableStack()
    const requests = new Map<Subject, number>()
    const timed = new Map<Subject, () => Promise<Costs>>()
    for (const subject of CONTENDING) {
      // leaderOnly reads the lease's name from the environment, so each size has processes of its own.
      const lease = `contention/${size}/${CONTENDING.indexOf(subject)}`
      const start = (at: string) =>
        runners.use(Runner.of(bench.bundle(subject).file, { ...variablesFor(at, lease), ...expressions }))
      await server.traffic()
      await start(counted).contend(size, lease)
      requests.set(subject, (await server.traffic()).operations.length)
      const runner = start(endpoint)
      for (let cold = WARM_UP; cold > 0; cold -= size) await runner.contend(size, lease)
      timed.set(subject, () => runner.contend(size, lease))
    }
    const samples = await inTurns(rounds, timed)
    for (const subject of CONTENDING) {
      const ratio = costRatio(samples, subject, FLOOR, 'ms')
      const cpu = costRatio(samples, subject, FLOOR, 'cpuMs')
      rows.push([String(size), subject, String(requests.get(subject)), String(size + 1), show(ratio), show(cpu)])
      if (subject !== 'withLease' || size !== IN_JSON) continue
      json = { requests: requests.get(subject), ratio: rounded(ratio), cpuRatio: rounded(cpu) }
    }
  }
  return {
    title: 'Contention',
    tables: [
      {
        about:
          'Candidates that ask for one tick at the same time, in one process, until all have their verdict. ' +
          'The floor is one request for each and one to complete. Time and CPU on DynamoDB Local, ' +
          'as ratios to the bare SDK with the same ' +
          'expressions; requests counted against a DynamoDB in memory.',
        columns: ['candidates', 'handler', 'requests', 'floor', 'time', 'CPU'],
        rows,
      },
    ],
    json,
  }
}
