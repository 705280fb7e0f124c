/** The logs of the latest tenures and failed attempts: each request of the leader with its answer, and what else happened to it. */

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
  /** How many earlier steps were dropped. */
  readonly dropped: number
}

/** Bounds the memory of a run that lasts for days: a tenure usually has 30 steps, each with a kilobyte of JSON. */
const KEPT_STEPS_OF_ALL = 10_000
/** Its last steps show how a tenure ended. */
const KEPT_STEPS = 300

export class TenureLogs {
  readonly #logs = new Map<number, { readonly steps: Step[]; dropped: number }>()
  #kept = 0

  /** @param steps those before the lease was granted */
  begin(tenure: number, steps: readonly Step[]): void {
    this.#logs.set(tenure, { steps: [], dropped: 0 })
    for (const step of steps) this.add(tenure, step)
  }

  add(tenure: number, step: Step): void {
    const log = this.#logs.get(tenure)
    if (log === undefined) return
    log.steps.push(step)
    if (log.steps.length > KEPT_STEPS) {
      log.steps.shift()
      log.dropped += 1
    } else this.#kept += 1
    for (const [oldest, { steps }] of this.#logs) {
      if (this.#kept <= KEPT_STEPS_OF_ALL) return
      this.#logs.delete(oldest)
      this.#kept -= steps.length
    }
  }

  get(tenure: number): TenureLog | undefined {
    return this.#logs.get(tenure)
  }
}

const SHOWN_CHARACTERS = 4_000

/** JSON as a log keeps it: a request may have megabytes. @param text the same, if it is already serialized */
export function shortened(value: unknown, text = JSON.stringify(value)): unknown {
  if (text.length <= SHOWN_CHARACTERS) return value
  return { beginning: text.slice(0, SHOWN_CHARACTERS), omitted: `${text.length - SHOWN_CHARACTERS} characters` }
}
