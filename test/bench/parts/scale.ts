import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { costRatio, inTurns, rounded, show, spreadOf } from '../measure.ts'
import prices from '../prices.json' with { type: 'json' }
import { Child, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'
import type { Order, Storm } from '../storm.ts'

const TICKS_PER_MONTH = 43_800 // every minute
const LARGE = 4
const SIZES = [1, 100, 10_000]
const ONE: Order = {
  seed: 0,
  leases: 1,
  candidates: 1_000,
  jitterMs: 0,
  looksFirst: false,
  unitsPerWrite: 1,
  partitions: 1,
}

export async function scale(bench: Bench): Promise<Result> {
  const [rounds, cycles] = bench.isQuick ? [3, 200] : [21, 600]
  using server = await Server.start('canned')
  using runner = Runner.of(bench.bundle('withLease').file, await server.variables('scale'))
  await runner.run(cycles * 3) // warms up
  const samples = await inTurns(
    rounds,
    SIZES.map((leases) => [leases, () => runner.run(cycles, leases)] as const),
  )
  const ratio = (size: number) => costRatio(samples, size, 1, 'cpuMs')
  using simulation = new Child(join(import.meta.dirname, '../storm.ts'))
  const storms = (seeds: number, about: string, orders: Readonly<Record<string, Order>>) =>
    tableOf(simulation, bench.isQuick ? 1 : seeds, about, orders)
  const large = { ...ONE, unitsPerWrite: LARGE }
  const many = { ...ONE, leases: bench.isQuick ? 200 : 10_000, candidates: 2, partitions: 4 }
  const how =
    'in virtual time, with a task of 1 s; Lambda retries a failed invocation after a minute. ' +
    'USD for a tick every minute'
  return {
    title: 'Scale',
    tables: [
      {
        about:
          'CPU per cycle of one process that leads so many leases in turn, as a ratio to one lease. ' +
          `${rounds} rounds of ${cycles} cycles.`,
        columns: ['leases', 'CPU'],
        rows: SIZES.map((size) => [size.toLocaleString('en'), show(ratio(size))]),
      },
      await storms(
        5,
        `A thousand candidates of one lease, whose partition takes 1,000 write units a second and has saved none, ` +
          `${how}. A ` +
          `row with a checkpoint of ${LARGE} KB costs ${LARGE} units for each write, refused or not.`,
        {
          'at once': ONE,
          [`at once, row of ${LARGE} KB`]: large,
          'within 10 s': { ...large, jitterMs: 10_000 },
          'at once, each looks before it writes': { ...large, looksFirst: true },
          'within 10 s, each looks': { ...large, jitterMs: 10_000, looksFirst: true },
          '3 candidates at once': { ...large, candidates: 3 },
        },
      ),
      await storms(
        2,
        `${many.leases.toLocaleString('en')} leases with a tick every minute, on four partitions, as a new table has, ` +
          `${how}.`,
        {
          '2 candidates at once': many,
          '2 candidates within 10 s': { ...many, jitterMs: 10_000 },
          '2 candidates within 50 s': { ...many, jitterMs: 50_000 },
          '3 candidates within 50 s': { ...many, candidates: 3, jitterMs: 50_000 },
        },
      ),
    ],
    json: { ratio: rounded(ratio(10_000)) },
  }
}

async function tableOf(simulation: Child, seeds: number, about: string, orders: Readonly<Record<string, Order>>) {
  const rows: string[][] = []
  for (const [name, order] of Object.entries(orders)) {
    const storms: Storm[] = []
    for (let seed = 1; seed <= seeds; seed++) storms.push(await simulation.ask<Storm>({ ...order, seed }))
    const of = (value: (storm: Storm) => number, digits = 0) => show(spreadOf(storms.map(value)), digits)
    // An eventually consistent read is half a unit for each 4 KB.
    const usd = ({ writes, reads }: Storm) =>
      (writes * order.unitsPerWrite * prices.writeUnit + (reads / 2) * prices.readUnit) * TICKS_PER_MONTH
    const notDone = storms.some((storm) => storm.notDone > 0) ? `; ${of((storm) => storm.notDone)} ticks never` : ''
    const counts = (['writes', 'throttled', 'failed'] as const).map((count) => of((storm) => storm[count]))
    const seconds = (['ledMs', 'doneMs'] as const).map((time) => of((storm) => storm[time] / 1_000, 2))
    rows.push([name, ...counts, ...seconds.map((text, place) => text + (place === 1 ? notDone : '')), of(usd, 2)])
  }
  return { about, columns: ['', 'writes', 'throttled', 'failed', 'led after, s', 'done after, s', 'USD a month'], rows }
}
