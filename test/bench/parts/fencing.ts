import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, show } from '../measure.ts'
import { type Costs, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'
import type { Traffic } from '../server.ts'

const NONE = 'none'
const PLAIN = 'no fence, Put'
const UPDATES = ['no fence, Update', 'lease.fence, Update', 'lease.send, Update']
const EFFECTS = [PLAIN, 'lease.send, Put', ...UPDATES, 'lease.claim', 'lease.transact', 'lease.complete']
/** In one tenure, so that its own requests weigh little. */
const perTenure = (effect: string) => (effect === 'lease.complete' ? 1 : 20)

/** What each strength of fencing costs for each effect, beside a write without it. */
export async function fencing(bench: Bench): Promise<Result> {
  const [rounds, tenures] = bench.isQuick ? [3, 5] : [15, 15]
  const start = async (effect: string, server: Server) => {
    const variables = { BENCH_EFFECT: effect, BENCH_EFFECTS: String(perTenure(effect)) }
    const lease = `fencing/${effect}`.replaceAll(/[^\w/]/g, '')
    return Runner.of(bench.bundle('effects').file, { ...(await server.variables(lease)), ...variables })
  }
  using proxy = await Server.start('proxy', await bench.dynamodbLocal())
  using double = await Server.start('double')
  using runners = new DisposableStack()
  const traffic = new Map<string, Traffic>()
  const timed = new Map<string, () => Promise<Costs>>()
  for (const effect of [NONE, ...EFFECTS]) {
    using counting = await start(effect, proxy)
    await counting.run(1)
    await proxy.traffic()
    await counting.run(1)
    traffic.set(effect, await proxy.traffic())
    const runner = runners.use(await start(effect, double))
    await runner.run(tenures) // warms up
    timed.set(effect, () => runner.run(tenures))
  }
  const samples = await inTurns(rounds, timed)
  /** Of one effect, without what the tenure costs. */
  const costs = (effect: string, cost: keyof Costs) =>
    samples(effect).map((of, round) => (of[cost] - (samples(NONE)[round]?.[cost] ?? 0)) / perTenure(effect))
  const count = (effect: string, of: (traffic: Traffic) => number) => {
    const [own, none] = [traffic.get(effect), traffic.get(NONE)]
    return own === undefined || none === undefined ? '' : ((of(own) - of(none)) / perTenure(effect)).toFixed()
  }
  return {
    title: 'Fencing',
    tables: [
      {
        about:
          'What one effect costs more than none: requests, write units and bytes on the way to DynamoDB Local; ' +
          'CPU and ' +
          `time against a DynamoDB in memory, as ratios to a Put without fence. ${rounds} rounds.`,
        columns: ['effect', 'requests', 'write units', 'bytes', 'CPU', 'time'],
        rows: EFFECTS.map((effect) => [
          effect,
          count(effect, ({ operations }) => operations.length),
          count(effect, ({ writeUnits }) => writeUnits),
          count(effect, ({ bytes }) => bytes),
          ...(['cpuMs', 'ms'] as const).map((cost) => show(ratioOf(costs(effect, cost), costs(PLAIN, cost)))),
        ]),
      },
    ],
  }
}
