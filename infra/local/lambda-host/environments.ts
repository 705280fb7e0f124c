/** Runs invocations, each in an execution environment of its function, and knows which works on which request. */

import type { LambdaFunction } from '../stack/template.ts'
import { type Ending, type Environment, startEnvironment } from './environment.ts'
import { createEnvironmentPool, type EnvironmentPool } from './environment-pool.ts'

export interface EnvironmentsOptions {
  /** Every invocation in a new environment. */
  readonly cold: boolean
  /** The variables of an environment; `serial` counts environments from 1. */
  readonly variablesOf: (lambda: LambdaFunction, serial: number) => NodeJS.ProcessEnv
}

export interface Environments {
  /** Runs one invocation, whose wall clock is ahead by `clockSkewMs` (0 where not given). Never throws. */
  run(lambda: LambdaFunction, event: unknown, requestId: string, clockSkewMs?: number): Promise<Ending>
  /** The environment that works on this request now. */
  workingOn(requestId: string): Environment | undefined
  /** The requests in work. */
  working(): readonly string[]
  /** The request that environment number `serial` works on, or worked on last: what it sent may arrive after its end. */
  requestOf(serial: number): string | undefined
  started(): number
  /** Kills every environment, frozen ones too, and settles when they are gone. No invocation is begun afterwards. */
  stop(): Promise<void>
}

const STOPPED: Ending = {
  ok: false,
  error: { errorType: 'ServiceException', errorMessage: 'The host has stopped' },
  logs: [],
}

export function createEnvironments({ cold, variablesOf }: EnvironmentsOptions): Environments {
  const pools = new Map<string, EnvironmentPool>()
  const working = new Map<string, Environment>()
  const requests = new Map<number, string>()
  let started = 0
  let stopped = false

  const poolOf = (lambda: LambdaFunction): EnvironmentPool => {
    // Functions that differ in anything, such as one variable, never share a process.
    const key = JSON.stringify(lambda)
    const known = pools.get(key)
    if (known !== undefined) return known
    const pool = createEnvironmentPool(() => {
      started += 1
      return startEnvironment(lambda, variablesOf(lambda, started), started)
    })
    pools.set(key, pool)
    return pool
  }

  const run: Environments['run'] = async (lambda, event, requestId, clockSkewMs) => {
    if (stopped) return STOPPED
    const pool = poolOf(lambda)
    const environment = await pool.take()
    if (environment === undefined) return STOPPED
    working.set(requestId, environment)
    requests.set(environment.serial, requestId)
    const ending = await environment.invoke(event, requestId, clockSkewMs)
    working.delete(requestId)
    if (cold || !environment.isAlive()) await environment.kill()
    pool.giveBack(environment)
    return ending
  }

  return {
    run,
    workingOn: (requestId) => working.get(requestId),
    working: () => [...working.keys()],
    requestOf: (serial) => requests.get(serial),
    started: () => started,
    stop: async () => {
      stopped = true
      await Promise.all([...pools.values()].map((pool) => pool.stop()))
    },
  }
}
