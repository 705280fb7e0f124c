/** The logs of the latest tenures: each request of the leader with its answer, and what else happened to it. */

export interface Step {
  readonly atMs: number
  readonly description: string
  readonly request?: unknown
  /** Absent until the answer arrives. */
  result?: string
  tookMs?: number
  answer?: unknown
  readonly isFault?: boolean
  /** Stack frames and log lines. */
  readonly trace?: readonly string[] | undefined
}

export interface TenureLog {
  readonly steps: readonly Step[]
  /** How many steps were dropped before the step at `gapAt`. */
  readonly dropped: number
  readonly gapAt: number
}

/** Bounds the memory of a run that lasts for days: a tenure usually has 30 steps, each with a kilobyte of JSON. */
const KEPT_LOGS = 200
const KEPT_STEPS_OF_ALL = 10_000
const KEPT_STEPS = 300
/** The last steps show how a tenure ended, so they are always kept. */
const KEPT_LAST_STEPS = 100

export class TenureLogs {
  readonly #logs = new Map<number, { readonly steps: Step[]; dropped: number; readonly gapAt: number }>()
  #kept = 0

  /** @param steps those before the lease was granted */
  begin(tenure: number, steps: readonly Step[]): void {
    this.#logs.set(tenure, { steps: [...steps], dropped: 0, gapAt: KEPT_STEPS - KEPT_LAST_STEPS })
    this.#kept += steps.length
    this.#forget()
  }

  add(tenure: number, step: Step): void {
    const log = this.#logs.get(tenure)
    if (log === undefined) return
    log.steps.push(step)
    if (log.steps.length <= KEPT_STEPS) {
      this.#kept += 1
      this.#forget()
    } else {
      log.steps.splice(log.gapAt, 1)
      log.dropped += 1
    }
  }

  get(tenure: number): TenureLog | undefined {
    return this.#logs.get(tenure)
  }

  #forget(): void {
    for (const [tenure, { steps }] of this.#logs) {
      if (this.#logs.size <= KEPT_LOGS && this.#kept <= KEPT_STEPS_OF_ALL) return
      this.#logs.delete(tenure)
      this.#kept -= steps.length
    }
  }
}

const SHOWN_CHARACTERS = 4_000

/** JSON as a log keeps it: a request may have megabytes. @param text the same, if it is already serialized */
export function shortened(value: unknown, text = JSON.stringify(value)): unknown {
  if (text.length <= SHOWN_CHARACTERS) return value
  return { beginning: text.slice(0, SHOWN_CHARACTERS), omitted: `${text.length - SHOWN_CHARACTERS} characters` }
}
