import { expect, test } from 'vitest'
import { shortestGapMinutes } from '../../infra/constructs/cron-gap.ts'

test.each([
  [{}, 1],
  [{ minute: '0' }, 60],
  [{ minute: '0,30' }, 30],
  [{ minute: '0/15' }, 15],
  [{ minute: '*/20' }, 20],
  [{ minute: '55,5' }, 10],
  [{ minute: '0', hour: '6' }, 1440],
  [{ minute: '0', hour: '1,13' }, 720],
  [{ minute: '0', hour: '1,2,13' }, 60],
  [{ minute: '30', hour: '8-18' }, 60],
  [{ minute: '0', hour: '22,4', weekDay: 'MON-FRI' }, 360],
  [{ minute: '50', hour: '*/7' }, 180],
])('of %j the shortest time between two ticks is %i minutes', (cron, minutes) => {
  expect(shortestGapMinutes(cron)).toBe(minutes)
})

test.each([{ minute: 'L' }, { minute: '60' }, { hour: '24' }, { hour: '18-8' }, { minute: '0/0' }, { minute: '' }])(
  'nothing is said of %j, which is not understood here',
  (cron) => {
    expect(shortestGapMinutes(cron)).toBeUndefined()
  },
)
