import type { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import type { BeliefWatch } from './belief-watch.ts'
import type { Billing } from './billing.ts'
import type { EffectWatch } from './effect-watch.ts'
import type { Faults } from './faults.ts'
import type { Findings } from './findings.ts'
import type { Handler, Invocation } from './lambda.ts'
import type { LeaseWatch } from './lease-watch.ts'
import type { SimulatedProcess } from './process.ts'
import type { RequestWatch } from './request-watch.ts'
import type { Setting } from './setting.ts'
import type { Timeline } from './timeline.ts'
import type { Wire, Wires } from './wire.ts'

/** Everything that one history consists of. */
export interface World {
  readonly setting: Setting
  readonly timeline: Timeline
  readonly faults: Faults
  readonly findings: Findings
  readonly database: SimulatedDynamoDB
  readonly wires: Wires
  readonly leases: LeaseWatch
  readonly requests: RequestWatch
  readonly beliefs: BeliefWatch
  readonly effects: EffectWatch
  /** Where that is what leaders do. */
  readonly billing: Billing | undefined
  /** Adds a line to the history. */
  tell(line: string): void
  /** The function, as a fresh process loads it. */
  handlerFor(process: SimulatedProcess, wire: Wire): Handler
  invocationEnded(invocation: Invocation): void
}
