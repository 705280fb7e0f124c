import type { Bench } from '../bench.ts'
import prices from '../prices.json' with { type: 'json' }
import type { Result } from '../report.ts'
import { type Requests, requestsOf } from './requests.ts'

const MINUTES_PER_MONTH = 43_800
const PERIODS = { 'every minute': 1, 'every 5 minutes': 5, hourly: 60, daily: 1_440 } as const

/** What the units that were counted cost in a month. */
export async function money(bench: Bench): Promise<Result> {
  const all = await requestsOf(bench)
  const inMonth = (perTick: number) =>
    Object.values(PERIODS).map((minutes) => ((MINUTES_PER_MONTH / minutes) * perTick).toFixed(5))
  return {
    title: 'Money',
    tables: [
      {
        about:
          'USD a month for the requests of two candidates, one of which wins and completes, by the units counted on ' +
          `DynamoDB Local and the prices of ${prices.date} in ${prices.region} (on demand, test/bench/prices.json). ` +
          'The last ' +
          'row is what AWS takes to invoke one standby, without the time that it runs.',
        columns: ['handler', ...Object.keys(PERIODS)],
        rows: [
          ...[...all].map(([subject, { win, lose, complete }]) => [
            subject,
            ...inMonth([win, lose, complete].reduce((sum, step) => sum + usd(step), 0)),
          ]),
          ['Scheduler and Lambda, for each standby', ...inMonth(prices.invocation + prices.schedule)],
        ],
      },
    ],
  }
}

const usd = ({ readUnits, writeUnits }: Requests['win']) => readUnits * prices.readUnit + writeUnits * prices.writeUnit
