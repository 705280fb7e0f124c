/** The logs of the latest tenures and failed attempts: requests of the leader with their answers, faults, its end. */
// @ts-nocheck


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

/** Bounds the memory of a run that lasts for days: a tenure usually has 30 steps, each with a kilobyte of JSON. */
const KEPT_STEPS = 10_000
/** Its last steps show how a tenure ended. */
const SHOWN_STEPS = 300

export class TenureLogs {
  readonly #kept: (readonly [tenure: number, step: Step])[] = []

  add(tenure: number, ...steps: readonly Step[]): void {
    for (const step of steps) this.#kept.push([tenure, step])
    this.#kept.splice(0, this.#kept.length - KEPT_STEPS)
  }

  get(tenure: number): readonly Step[] {
    return this.#kept.flatMap(([number, step]) => (number === tenure ? [step] : [])).slice(-SHOWN_STEPS)
  }
}

const SHOWN_CHARACTERS = 4_000

/** JSON as a log keeps it: a request may have megabytes. @param text the same, if it is already serialized */
export function shortened(value: unknown, text = JSON.stringify(value)): unknown {
  if (text.length <= SHOWN_CHARACTERS) return value
  return { beginning: text.slice(0, SHOWN_CHARACTERS), omitted: `${text.length - SHOWN_CHARACTERS} characters` }
}
