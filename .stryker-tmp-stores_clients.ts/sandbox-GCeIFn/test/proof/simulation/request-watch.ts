/** Records what candidates send to the lease row and learn from the answers; checks extensions when they are sent. */
// @ts-nocheck

import type { HolderWrite } from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Exchange, Tenure } from './records.ts'
import { SKEW_MS } from './setting.ts'
import type { World } from './world.ts'

/** One attempt to acquire; the times are those of its first request. */
export interface Attempt {
  readonly sentAtMs: number
  readonly sentMonotonicMs: number
  /** How wrong the sender's clock was. */
  readonly offsetMs: number
  /** The label of the invocation. */
  readonly by: string
  isGranted: boolean
  /** The sender learned of the grant from the answer to the granted request. */
  knowsGrant: boolean
}

type Extension = Extract<HolderWrite, { readonly kind: 'renew' | 'saveCheckpoint' | 'advance' }>

const isExtension = (request: LeaseRequest): request is Extension =>
  request.kind === 'renew' || request.kind === 'saveCheckpoint' || request.kind === 'advance'

/** The Date header has whole seconds. */
const DATE_RESOLUTION_MS = 1_000

/** Whether an answer at `nowMs` proves that the sender's clock is off by more than half of the budget. */
export function isProvablyWrong(attempt: Attempt, process: SimulatedProcess, nowMs: number): boolean {
  const doubtMs = DATE_RESOLUTION_MS + nowMs - attempt.sentAtMs
  return process.offsetMs === attempt.offsetMs && Math.abs(attempt.offsetMs) > SKEW_MS / 2 + doubtMs
}

export class RequestWatch {
  readonly attempts = new Map<string, Attempt>()
  /** All requests to DynamoDB. */
  count = 0
  readonly #world: World
  /** Per token, the step of the last extension that was sent. */
  readonly #extensionStep = new Map<number, number>()

  constructor(world: World) {
    this.#world = world
  }

  sent({ process, place, lease: request }: Exchange): void {
    this.count++
    if (request?.kind === 'acquire') this.#acquireSent(request.attempt, process)
    else if (request !== undefined && isExtension(request)) {
      const tenure = this.#world.leases.tenures.get(request.fencingToken)
      if (tenure?.attempt === request.attempt) this.#extensionSent(request, tenure, place)
    }
  }

  answered({ lease: request }: Exchange, { status }: Answer): void {
    const attempt = request?.kind === 'acquire' ? this.attempts.get(request.attempt) : undefined
    if (attempt !== undefined && status === 200) attempt.knowsGrant = true
  }

  #acquireSent(attempt: string, process: SimulatedProcess): void {
    if (this.attempts.has(attempt)) return
    this.attempts.set(attempt, {
      sentAtMs: this.#world.timeline.nowMs,
      sentMonotonicMs: process.monotonicMs(),
      offsetMs: process.offsetMs,
      by: process.invocation,
      ...{ isGranted: false, knowsGrant: false },
    })
  }

  #extensionSent({ step, nowMs, expiresAtMs }: Extension, tenure: Tenure, place: string): void {
    const isRepeated = this.#extensionStep.get(tenure.token) === step
    this.#extensionStep.set(tenure.token, step)
    if (isRepeated) return
    const { process } = tenure
    if (process.wallMs() >= tenure.expiresAtMs || process.monotonicMs() >= tenure.untilMonotonicMs) {
      this.#world.broken('S1', `${place} extends the lease after the deadline by its own clock; another may lead`)
    }
    tenure.untilWallMs = Math.max(tenure.untilWallMs, expiresAtMs)
    tenure.untilMonotonicMs = Math.max(tenure.untilMonotonicMs, process.monotonicMs() + expiresAtMs - nowMs)
  }
}
