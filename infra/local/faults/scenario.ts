/** All that a run does to its functions and their requests, planned by its options. */

import type { StartOptions } from '../cli/options.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Resources } from '../stack/resources.ts'
import { kindOf } from './calls.ts'
import { compose } from './compose.ts'
import { controlInterceptors } from './controls.ts'
import type { Fault } from './fault.ts'
import { createStriker, type StrikerOptions } from './fault-injector.ts'
import { type GatewayWatch, watchGateway } from './gateway-watch.ts'
import { chaosPlan, LEAST_CHAOS_TICKS } from './plan.ts'
import { freezeLeader, killLeader } from './worst-moments.ts'

export interface Scenario {
  readonly intercept: Interceptor
  readonly gateway: GatewayWatch
  /** How many faults the chaos has planned. */
  readonly planned: number
  tickStarts(number: number, expectedCharges: number): void
  struck(): readonly Fault[]
}

type Asked = Pick<StartOptions, 'killLeader' | 'freezeLeader' | 'chaos' | 'without' | 'ticks'>

export function createScenario(asked: Asked, places: Resources, striking: Omit<StrikerOptions, 'kindOf'>): Scenario {
  const plan = asked.chaos === undefined ? [] : chaosPlan(asked.chaos, asked.ticks ?? LEAST_CHAOS_TICKS)
  const striker = createStriker({ ...striking, kindOf: (call) => kindOf(call, places) })
  const gateway = watchGateway()

  const faultsOf = (number: number, expectedCharges: number): readonly Fault[] => [
    ...plan.filter(({ tick }) => tick === number),
    ...(number === asked.killLeader ? killLeader(number, expectedCharges) : []),
    ...(number === asked.freezeLeader ? freezeLeader(number, expectedCharges) : []),
  ]

  return {
    // Faults see what the function sent, the controls change it, and the watch sees what the gateway really gets.
    intercept: compose(striker.intercept, ...controlInterceptors(asked.without), gateway.intercept),
    gateway,
    planned: plan.length,
    tickStarts: (number, expectedCharges) => {
      striker.tickStarts(faultsOf(number, expectedCharges))
      gateway.tickStarts()
    },
    struck: striker.struck,
  }
}
