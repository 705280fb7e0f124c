import { expect, test } from 'vitest'
import { Forecast } from '../../../infra/local/billing/subscriptions.ts'
import { monthly } from '../../billing/scene.ts'

test('The forecast of a tick is what is due since the tick before it, every period of it', () => {
  const forecast = new Forecast([monthly('c-1', { interval: 'week' }), monthly('c-2', { interval: 'week' })])
  const at = (day: string) => forecast.newlyDueAt(Date.parse(`${day}T00:00:00.000Z`))
  expect(['2024-01-30', '2024-01-31', '2024-02-06', '2024-02-14'].map(at)).toEqual([0, 2, 0, 4])
})
