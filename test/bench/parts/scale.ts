import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, rounded, show, spreadOf } from '../measure.ts'
import prices from '../prices.json' with { type: 'json' }
import { Child, type Costs, Runner, Server } from '../processes.ts'
import type { Result, Table } from '../report.ts'
import type { Order, Storm } from '../storm.ts'

const TICKS_PER_MONTH = 43_800 // every minute
const LARGE_ROW = 4

export async function scale(bench: Bench): Promise<Result> {
  const { table, ratio } = await manyLeases(bench)
  using simulation = new Child(join(import.meta.dirname, '../storm.ts'), [])
  const one = { leases: 1, candidates: 1_000, jitterMs: 0, looksFirst: false, unitsPerWrite: 1, partitions: 1 }
  const large = { ...one, unitsPerWrite: LARGE_ROW }
  const leases = bench.isQuick ? 1_000 : 10_000
  const many = { ...one, leases, candidates: 2, partitions: 4 }
  const seeds = bench.isQuick ? 2 : 5
  const storms = async (about: string, orders: Readonly<Record<string, Omit<Order, 'seed'>>>): Promise<Table> => {
    const rows: string[][] = []
    for (const [name, order] of Object.entries(orders)) {
      const samples: Storm[] = []
      for (let seed = 1; seed <= seeds; seed++) {
        bench.checkInterrupt()
        samples.push(await simulation.ask<Storm>({ ...order, seed }))
      }
      rows.push([name, ...cells(order, samples)])
    }
    return { about, columns: ['', 'writes', 'throttled', 'failed', 'led after', 'done after', 'USD a month'], rows }
  }
  const title = 'in virtual time, with a task of 1 s; Lambda retries a failed invocation after a minute.'
  return {
    title: 'Scale',
    tables: [
      table,
      await storms(
        `A thousand candidates of one lease, whose partition takes 1,000 write units a second and has saved none, ${title} ` +
          `A row with a checkpoint of ${LARGE_ROW} KB costs ${LARGE_ROW} units for each write, refused or not. ` +
          'USD for a tick every minute.',
        {
          'at once': one,
          [`at once, row of ${LARGE_ROW} KB`]: large,
          'within 10 s': { ...large, jitterMs: 10_000 },
          'at once, each looks before it writes': { ...large, looksFirst: true },
          'within 10 s, each looks': { ...large, jitterMs: 10_000, looksFirst: true },
          '3 candidates at once': { ...large, candidates: 3 },
        },
      ),
      await storms(
        `${leases.toLocaleString('en')} leases with a tick every minute, on four partitions, as a new table has, ${title}`,
        {
          '2 candidates at once': many,
          '2 candidates within 10 s': { ...many, jitterMs: 10_000 },
          '2 candidates within 50 s': { ...many, jitterMs: 50_000 },
          '3 candidates within 50 s': { ...many, candidates: 3, jitterMs: 50_000 },
        },
      ),
    ],
    json: { ratio },
  }
}

/** Whether a cycle costs more if a process has many leases. */
async function manyLeases(bench: Bench) {
  const [rounds, cycles] = bench.isQuick ? [5, 200] : [21, 1_000]
  using server = new Server('canned')
  using runner = new Runner(bench.bundle('withLease').file, await server.variables('scale'))
  const sizes = [1, 100, 10_000]
  await runner.run(cycles * 3)
  // Each size gets other leases of its number in each round.
  const samples = await inTurns(sizes, rounds, (leases): Promise<Costs> => {
    bench.checkInterrupt()
    return runner.run(cycles, leases)
  })
  const ratio = (size: number) =>
    ratioOf(
      samples(size).map(({ cpuMs }) => cpuMs),
      samples(1).map(({ cpuMs }) => cpuMs),
    )
  const table: Table = {
    about: `CPU per cycle of one process that leads so many leases in turn, as a ratio to one lease. ${rounds} rounds of ${cycles} cycles.`,
    columns: ['leases', 'CPU'],
    rows: sizes.map((size) => [size.toLocaleString('en'), show(ratio(size))]),
  }
  return { table, ratio: rounded(ratio(10_000)) }
}

function cells(order: Omit<Order, 'seed'>, storms: readonly Storm[]): readonly string[] {
  const of = (value: (storm: Storm) => number, digits = 0) => show(spreadOf(storms.map(value)), digits)
  const usd = ({ writes, reads }: Storm) => {
    // An eventually consistent read is half a unit for each 4 KB.
    const perTick = writes * order.unitsPerWrite * prices.writeUnit + (reads / 2) * prices.readUnit
    return perTick * TICKS_PER_MONTH
  }
  const notDone = storms.some((storm) => storm.notDone > 0) ? ` (${of((storm) => storm.notDone)} ticks never)` : ''
  return [
    of(({ writes }) => writes),
    of(({ throttled }) => throttled),
    of(({ failed }) => failed),
    `${of(({ ledMs }) => ledMs / 1_000, 2)} s`,
    `${of(({ doneMs }) => doneMs / 1_000, 2)} s${notDone}`,
    of(usd, 2),
  ]
}
