// @ts-nocheck
import type { ScheduledFault } from '../faults/fault.ts'
import type { PlanOptions } from '../faults/plan.ts'
import type { Protection } from '../faults/protections.ts'

/** `ticks` does not count those after the chaos; undefined runs until Ctrl-C. */
export interface RunOptions extends PlanOptions {
  readonly without: readonly Protection[]
  readonly everyMs: number
  readonly candidates: number
  readonly cold: boolean
  /** Of the candidates' function, in milliseconds. @default as deployed */
  readonly timeoutMs: number | undefined
  /** Multiplies Lambda's retry delays and the lease duration: 0.1 makes them a tenth. */
  readonly timeScale: number
  readonly scenario: readonly ScheduledFault[]
  readonly page: boolean
  readonly port: number
}
