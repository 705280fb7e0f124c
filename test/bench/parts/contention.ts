import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { inTurns, ratioOf, rounded, show } from '../measure.ts'
import { createTables, Runner, Server, variablesFor } from '../processes.ts'
import type { Result } from '../report.ts'
import { expressionsOf } from './cycles.ts'

const FLOOR = 'bare SDK, same expressions'
const CONTENDING: readonly Subject[] = [FLOOR, 'bare SDK', 'withLease', 'leaderOnly', 'Powertools idempotency']
const IN_JSON = 50
/** Candidates before the first round. */
const WARM_UP = 400

/** Candidates of one process that ask for the same tick at once. The losers of lock clients wait, so they are left out. */
export async function contention(bench: Bench): Promise<Result> {
  const sizes = bench.isQuick ? [2, IN_JSON] : [2, 10, IN_JSON, 200, 2_000]
  const endpoint = await bench.dynamodbLocal()
  const expressions = { BENCH_EXPRESSIONS: await expressionsOf(bench) }
  using server = new Server('double')
  const counted = { ...(await server.variables('contention')), ...expressions }
  await createTables(await server.endpoint)
  using runners = new DisposableStack()
  const start = (subject: Subject, variables: object) =>
    runners.use(new Runner(bench.bundle(subject).file, { ...variablesFor(endpoint, ''), ...expressions, ...variables }))
  const rows: string[][] = []
  let json = {}
  for (const size of sizes) {
    const rounds = bench.isQuick ? 5 : size > 500 ? 5 : 15
    const requests = new Map<Subject, number>()
    const timed = new Map<Subject, Runner>()
    for (const subject of CONTENDING) {
      // leaderOnly reads the lease's name from the environment, so each size has processes of its own.
      const variables = { LEASE_NAME: `contention/${size}/${CONTENDING.indexOf(subject)}` }
      const counting = start(subject, { ...counted, ...variables })
      await server.traffic()
      await contend(counting, size, variables.LEASE_NAME)
      requests.set(subject, (await server.traffic()).operations.length)
      counting[Symbol.dispose]()
      const runner = start(subject, variables)
      for (let cold = WARM_UP; cold > 0; cold -= size) await contend(runner, size, variables.LEASE_NAME)
      timed.set(subject, runner)
    }
    const samples = await inTurns(CONTENDING, rounds, async (subject) => {
      bench.checkInterrupt()
      const runner = timed.get(subject)
      return runner === undefined
        ? Number.NaN
        : await contend(runner, size, `contention/${size}/${CONTENDING.indexOf(subject)}`)
    })
    for (const subject of CONTENDING) {
      timed.get(subject)?.[Symbol.dispose]()
      const ratio = ratioOf(samples(subject), samples(FLOOR))
      rows.push([String(size), subject, String(requests.get(subject)), String(size + 1), show(ratio)])
      if (subject === 'withLease' && size === IN_JSON) {
        json = { requests: requests.get(subject), ratio: rounded(ratio) }
      }
    }
  }
  return {
    title: 'Contention',
    tables: [
      {
        about:
          'Candidates that ask for one tick at the same time, in one process, until all have their verdict. The floor is ' +
          'one request for each and one to complete. Times on DynamoDB Local, as ratios to the bare SDK with the same ' +
          'expressions; requests counted against a DynamoDB in memory.',
        columns: ['candidates', 'handler', 'requests', 'floor', 'time'],
        rows,
      },
    ],
    json,
  }
}

async function contend(runner: Runner, size: number, lease: string): Promise<number> {
  const { ms, led } = await runner.contend(size, lease)
  if (led !== 1) throw new Error(`${led} of ${size} candidates led`)
  return ms
}
