/** The README's picture: the dashboard's timeline of a quarter of an hour. */
import { leaseTimeline } from '../../functions/widget/lanes.ts'
import { leaseView } from '../../functions/widget/model.ts'
import { renderTimeline } from '../../functions/widget/timeline.ts'
import { leaseRecord, MINUTE, NOW, reading, tenureRow, vacantRecord } from './rows.ts'

const at = (minutesAgo: number) => ({ N: String(NOW - minutesAgo * MINUTE) })
const tenure = (token: number, candidate: string, from: number, to: number, outcome: string) =>
  tenureRow(token, { candidate: { S: candidate }, beganAtMs: at(from), endedAtMs: at(to), outcome: { S: outcome } })

/** Two leases: one has a leader, after an earlier one died; the other had a leader that failed. */
export function picture(): string {
  const billing = reading(leaseRecord({ holder: 'charge/1b7d', acquiredAtMs: NOW - 1.4 * MINUTE }), [
    tenure(41, 'charge/93aa', 4.5, 2.6, 'completed'),
    tenure(40, 'charge/5c02', 6.5, 5.6, 'completed'),
    tenure(39, 'charge/e81f', 10, 6.9, 'takenOver'),
    tenure(38, 'charge/0d44', 13.5, 11.6, 'completed'),
  ])
  const reports = reading(
    vacantRecord({ lease: 'reports', acquiredAtMs: NOW - 3 * MINUTE, writtenAtMs: NOW - MINUTE }),
    [
      tenure(41, 'report/77f0', 7, 5.4, 'completed'),
      tenure(40, 'report/21c9', 9, 7.8, 'failed'),
      tenure(39, 'report/fa30', 13, 11, 'completed'),
    ],
  )
  const views = [billing, { ...reports, lease: 'reports' }].map((each) => leaseView(each, NOW))
  const svg = String(renderTimeline({ ...leaseTimeline(views, NOW, undefined), width: 880 }))
  // A picture on its own inherits no font and no background.
  const withFont = svg.replace('font-family="inherit"', 'font-family="system-ui, sans-serif"')
  return `${withFont.replace('style="', 'style="background:#fff;')}\n`
}
