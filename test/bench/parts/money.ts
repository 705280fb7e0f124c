import type { Bench } from '../bench.ts'
import prices from '../prices.json' with { type: 'json' }
import type { Result } from '../report.ts'
import { COUNTED, type Requests, requestsOf } from './requests.ts'

const MINUTES_PER_MONTH = 43_800
const PERIODS = { 'every minute': 1, 'every 5 minutes': 5, hourly: 60, daily: 1_440 } as const
const CANDIDATES = 2

/** What the units that were counted cost in a month. */
export async function money(bench: Bench): Promise<Result> {
  const rows: string[][] = []
  for (const subject of COUNTED) rows.push([subject, ...costs(await requestsOf(bench, subject))])
  const standby = Object.values(PERIODS).map((minutes) => usd((MINUTES_PER_MONTH / minutes) * STANDBY))
  return {
    title: 'Money',
    tables: [
      {
        about:
          `USD a month for the requests of ${CANDIDATES} candidates, one of which wins and completes, by the units counted ` +
          `on DynamoDB Local and the prices of ${prices.date} in ${prices.region} (on demand, test/bench/prices.json). The last ` +
          'row is what AWS takes to invoke one standby, without the time that it runs.',
        columns: ['handler', ...Object.keys(PERIODS)],
        rows: [...rows, ['Scheduler and Lambda, for each standby', ...standby]],
      },
    ],
  }
}

const STANDBY = prices.invocation + prices.schedule

function costs({ win, lose, complete }: Requests): readonly string[] {
  const of = ({ readUnits, writeUnits }: Requests['win']) => readUnits * prices.readUnit + writeUnits * prices.writeUnit
  const perTick = of(win) + of(complete) + (CANDIDATES - 1) * of(lose)
  return Object.values(PERIODS).map((minutes) => usd((MINUTES_PER_MONTH / minutes) * perTick))
}

const usd = (amount: number) => amount.toFixed(5)
