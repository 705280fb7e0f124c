import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, show } from '../measure.ts'
import { type Costs, createTables, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'
import type { Traffic } from '../server.ts'

const NONE = 'none'
const PLAIN = 'no fence, Put'
const EFFECTS = [
  PLAIN,
  'lease.send, Put',
  'no fence, Update',
  'lease.fence, Update',
  'lease.send, Update',
  'lease.claim',
  'lease.transact',
  'lease.complete',
]
/** In one tenure, so that its own requests weigh little. */
const PER_TENURE = 20
const perTenure = (effect: string) => (effect === 'lease.complete' ? 1 : PER_TENURE)

/** What each strength of fencing costs for each effect, beside a write without it. */
export async function fencing(bench: Bench): Promise<Result> {
  const [rounds, tenures] = bench.isQuick ? [3, 10] : [15, 25]
  const { file } = bench.bundle('effects')
  const run = async (effect: string, server: Server, number: number) => {
    const variables = { BENCH_EFFECT: effect, BENCH_EFFECTS: String(perTenure(effect)) }
    const lease = `fencing/${effect}`.replaceAll(/[^\w/]/g, '')
    const runner = new Runner(file, { ...(await server.variables(lease)), ...variables })
    await runner.run(number)
    return runner
  }
  using proxy = new Server('proxy', await bench.dynamodbLocal())
  const traffic = new Map<string, Traffic>()
  for (const effect of [NONE, ...EFFECTS]) {
    bench.checkInterrupt()
    using runner = await run(effect, proxy, 1)
    await proxy.traffic()
    await runner.run(1)
    traffic.set(effect, await proxy.traffic())
  }
  using double = new Server('double')
  await createTables(await double.endpoint)
  using runners = new DisposableStack()
  const timed = new Map<string, Runner>()
  for (const effect of [NONE, ...EFFECTS]) timed.set(effect, runners.use(await run(effect, double, tenures)))
  const samples = await inTurns([NONE, ...EFFECTS], rounds, async (effect) => {
    bench.checkInterrupt()
    return (await timed.get(effect)?.run(tenures)) ?? { ms: Number.NaN, cpuMs: Number.NaN, rssMB: Number.NaN }
  })
  /** Of one effect, without what the tenure costs. */
  const costs = (effect: string, cost: keyof Costs) =>
    samples(effect).map((of, round) => (of[cost] - (samples(NONE)[round]?.[cost] ?? 0)) / perTenure(effect))
  const count = (effect: string, of: (traffic: Traffic) => number) => {
    const [own, none] = [traffic.get(effect), traffic.get(NONE)]
    return own === undefined || none === undefined ? Number.NaN : (of(own) - of(none)) / perTenure(effect)
  }
  return {
    title: 'Fencing',
    tables: [
      {
        about:
          'What one effect costs more than none: requests, write units and bytes on the way to DynamoDB Local; CPU and ' +
          `time against a DynamoDB in memory, as ratios to a Put without fence. ${rounds} rounds.`,
        columns: ['effect', 'requests', 'write units', 'bytes', 'CPU', 'time'],
        rows: EFFECTS.map((effect) => [
          effect,
          count(effect, ({ operations }) => operations.length).toFixed(2),
          count(effect, ({ writeUnits }) => writeUnits).toFixed(2),
          count(effect, ({ bytes }) => bytes).toFixed(0),
          ...(['cpuMs', 'ms'] as const).map((cost) => show(ratioOf(costs(effect, cost), costs(PLAIN, cost)))),
        ]),
      },
    ],
  }
}
